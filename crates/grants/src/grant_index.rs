//! The index of grants by subject, for the account page and for operators.
//!
//! No backend lists its keys, so every grant has an entry in an index of its subject. A person has one index
//! for every thirty days, named by a MAC of the subject. A counter numbers its slots, and each slot holds a
//! grant's id until the grant expires. No index gets an entry after its thirty days, and no grant outlives a
//! year, so the time at which the sweep removes the counter is known when the index begins. An index is never
//! compacted: a reader reads the newest slots of the indexes that may hold an active grant, a bounded number
//! at a time.
//!
//! A client's own grants have the same index. They last a day at most, so one index covers a day.

use crate::index_slots::{Slot, Span, slot_id};
use crate::{Grant, Grants};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::KeyValue;

/// Grants of a [`Page`].
pub(crate) const MAX_PAGE: usize = 50;

/// Slots that are read for one [`Page`]: most of them may be of grants that have ended.
pub(crate) const MAX_SLOTS_READ: u64 = 1000;

/// A grant as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The grant's id.
    pub id: String,
    /// The grant.
    pub grant: Grant,
    /// When the client last fetched tokens for it, in seconds since the Unix epoch; `None` if it
    /// never did.
    pub used_at: Option<u64>,
}

/// Some of a person's grants, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The grants; there may be none though more follow.
    pub grants: Vec<Listed>,
    /// The cursor of the next page, if there may be one.
    pub next: Option<PageCursor>,
}

/// The result of ending a page of grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The number of grants ended.
    pub count: usize,
    /// The cursor of the next page, if there may be one.
    pub next: Option<PageCursor>,
}

/// The position of the next page: an index, a key of the ring (counted from the newest), a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCursor {
    period: u64,
    key: usize,
    slot: u64,
}

impl PageCursor {
    /// Reads what [`Display`](std::fmt::Display) wrote. A made-up cursor is harmless: it only skips grants of
    /// the same subject.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        Some(Self {
            period: parts.next()?.parse().ok()?,
            key: parts.next()?.parse().ok()?,
            slot: parts.next()?.parse().ok()?,
        })
    }
}

impl std::fmt::Display for PageCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.period, self.key, self.slot)
    }
}

impl<K: KeyValue> Grants<'_, K> {
    /// Returns a page of the grants that `subject` has at `now` (seconds since the Unix epoch), the newest
    /// first. Reads a bounded number of records, and writes nothing.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn of_subject(
        &self,
        subject: &str,
        from: Option<PageCursor>,
        now: u64,
    ) -> Result<Page, store::Error> {
        let span = Span::of(subject);
        let newest = span.period_of(now);
        let mut page = Page {
            grants: Vec::new(),
            next: None,
        };
        let mut looked_at = 0;
        let begin = from.map_or(newest, |cursor| cursor.period.min(newest));
        for period in span.periods(now).filter(|period| *period <= begin) {
            for (key, tag) in self.index_slots().tags(subject, period).iter().enumerate() {
                let last = match from {
                    Some(cursor) if cursor.period == period && key < cursor.key => continue,
                    Some(cursor) if cursor.period == period && key == cursor.key => {
                        let last = self.index_slots().last(tag).await?;
                        cursor.slot.min(last)
                    }
                    _ => self.index_slots().last(tag).await?,
                };
                for slot in (1..=last).rev() {
                    if page.grants.len() == MAX_PAGE || looked_at == MAX_SLOTS_READ {
                        page.next = Some(PageCursor { period, key, slot });
                        return Ok(page);
                    }
                    looked_at += 1;
                    page.grants
                        .extend(self.listed(subject, &slot_id(tag, slot), now).await?);
                }
            }
        }
        Ok(page)
    }

    /// Ends the grant with this id if it is the subject's, and returns whether it was.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn end_of_subject(
        &self,
        subject: &str,
        id: &str,
        now: u64,
    ) -> Result<bool, store::Error> {
        // The id comes from outside and becomes part of a key.
        if URL_SAFE_NO_PAD.decode(id).is_err() {
            return Ok(false);
        }
        let found = self.find(id, now).await?;
        let is_theirs = found.is_some_and(|grant| grant.profile.subject == subject);
        if is_theirs {
            self.end(id, now).await?;
        }
        Ok(is_theirs)
    }

    /// Ends a page of the grants of `subject`.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn end_page_of_subject(
        &self,
        subject: &str,
        from: Option<PageCursor>,
        now: u64,
    ) -> Result<Ended, store::Error> {
        let page = self.of_subject(subject, from, now).await?;
        for listed in &page.grants {
            self.end(&listed.id, now).await?;
        }
        Ok(Ended {
            count: page.grants.len(),
            next: page.next,
        })
    }

    /// Returns the grant in a slot, if it is active.
    async fn in_slot(&self, slot: &str, now: u64) -> Result<Option<(String, Grant)>, store::Error> {
        let Some(Slot { grant: id, .. }) = self.store.get(slot, now).await? else {
            return Ok(None);
        };
        let grant = self.find(&id, now).await?;
        Ok(grant.map(|grant| (id, grant)))
    }

    async fn listed(
        &self,
        subject: &str,
        slot: &str,
        now: u64,
    ) -> Result<Option<Listed>, store::Error> {
        let Some((id, grant)) = self.in_slot(slot, now).await? else {
            return Ok(None);
        };
        // The grant decides whose it is; the index only finds it.
        if grant.profile.subject != subject {
            return Ok(None);
        }
        let used_at = match self.refreshed_at(&id, now).await? {
            Some(at) => Some(at),
            // A client's own grant comes with its token.
            None if grant.code.is_none() => Some(grant.created_at),
            None => self.is_redeemed(&id).await?.then_some(grant.created_at),
        };
        Ok(Some(Listed { id, grant, used_at }))
    }
}

#[cfg(test)]
mod tests;
