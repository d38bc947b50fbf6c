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

use crate::client_subject::is_client_subject;
use crate::record_kinds;
use crate::{Grant, Grants};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::Purpose;
use serde::{Deserialize, Serialize};
use store::{Batch, KeyValue, Record};

const TAG: Purpose = Purpose("index of a person's grants");

const GRANT_LIMIT: Purpose = Purpose("limit of a person's grants");

/// Active grants of one client and one person: one for every installation in use. The next one ends the
/// oldest.
pub const MAX_GRANTS_PER_CLIENT: usize = 20;

/// Grants that one person may begin in an hour.
pub const MAX_GRANTS_PER_HOUR: u64 = 60;

/// Grants that one sign-in ends. There can be more only from before the limit existed.
const MAX_ENDED_AT_ONCE: usize = 8;

/// Slots that are read for that limit when a grant begins.
const MAX_COUNTED: u64 = 500;

/// The kind of the counter for that limit.
const LIMIT: &str = "grant-limit";

const HOUR: u64 = 3600;

const DAY: u64 = 86_400;

/// The durations of an index, in seconds.
struct Span {
    /// The time that one index covers.
    period: u64,
    /// The longest lifetime of a grant in it.
    max_ttl: u64,
}

const PERSON: Span = Span {
    period: 30 * DAY,
    max_ttl: 366 * DAY,
};

/// An access token lasts a day at most.
const CLIENT: Span = Span {
    period: DAY,
    max_ttl: DAY,
};

impl Span {
    fn of(subject: &str) -> Self {
        if is_client_subject(subject) {
            CLIENT
        } else {
            PERSON
        }
    }

    /// Returns how many indexes may hold an active grant.
    fn indexes(&self) -> u64 {
        self.max_ttl.div_ceil(self.period) + 1
    }
}

/// The kind of the counter of an index.
const COUNTER: &str = "subject";

/// Grants of a [`Page`].
pub(crate) const MAX_PAGE: usize = 50;

/// Slots that are read for one [`Page`]: most of them may be of grants that have ended.
pub(crate) const MAX_SLOTS_READ: u64 = 1000;

/// A slot of an index.
#[derive(Serialize, Deserialize)]
struct Slot {
    grant: String,
}

impl Record for Slot {
    const KIND: &'static str = record_kinds::INDEX_SLOT;
}

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
    /// Counts one more grant of `subject` at `now` (seconds since the Unix epoch), and returns whether it is
    /// within [`MAX_GRANTS_PER_HOUR`].
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn may_begin(&self, subject: &str, now: u64) -> Result<bool, store::Error> {
        let person = tag(&self.keys.mac(GRANT_LIMIT, subject.as_bytes()));
        self.store
            .check_rate_limit(&format!("{LIMIT}:{person}"), MAX_GRANTS_PER_HOUR, HOUR, now)
            .await
    }

    /// Returns a slot of the subject's index, for the grant with this id. No other grant gets it. On a store
    /// without atomics this also [fills](Self::fill_slot) it.
    pub(crate) async fn take_slot(&self, id: &str, grant: &Grant) -> Result<String, store::Error> {
        let (subject, created_at) = (&grant.profile.subject, grant.created_at);
        let span = Span::of(subject);
        let period = created_at / span.period;
        let tag = tag(&self.keys.mac(TAG, &message(subject, period)));
        let forget_at = (period + 1) * span.period + span.max_ttl;
        let record = Slot { grant: id.into() };
        let slot = self
            .store
            .next_number(COUNTER, &tag, &record, grant.expires_at, forget_at)
            .await?;
        Ok(slot_id(&tag, slot))
    }

    /// Adds a grant's id to what is written, in its slot. The schedule of the grant's own expiry covers the slot.
    pub(crate) fn fill_slot(
        &self,
        batch: &mut Batch<'_, K>,
        slot: &str,
        id: &str,
        expires_at: u64,
    ) -> Result<(), store::Error> {
        if !self.store.has_atomics() {
            return Ok(());
        }
        let record = Slot { grant: id.into() };
        batch.put(slot, &record, Some(expires_at))
    }

    /// Ends the oldest grants that `subject` has of a client at `now` (seconds since the Unix epoch)
    /// beyond [`MAX_GRANTS_PER_CLIENT`], a few at a time, and returns how many. Reads at most
    /// [`MAX_COUNTED`] slots, so older grants are not counted.
    pub(crate) async fn end_oldest(
        &self,
        subject: &str,
        client_id: &str,
        now: u64,
    ) -> Result<usize, store::Error> {
        let span = Span::of(subject);
        let newest = now / span.period;
        let (mut looked_at, mut found) = (0, 0);
        let mut oldest = Vec::new();
        'index: for period in (newest.saturating_sub(span.indexes() - 1)..=newest).rev() {
            let message = message(subject, period);
            for code in self.keys.mac_with_all(TAG, &message) {
                let tag = tag(&code);
                for slot in (1..=self.store.numbers(COUNTER, &tag).await?).rev() {
                    if looked_at == MAX_COUNTED {
                        break 'index;
                    }
                    looked_at += 1;
                    let found_in = self.in_slot(&slot_id(&tag, slot), now).await;
                    // A record that cannot be read must not keep its owner from signing in.
                    let (id, grant) = match found_in {
                        Ok(Some(found)) => found,
                        Ok(None) | Err(store::Error::Unreadable(_)) => continue,
                        Err(error) => return Err(error),
                    };
                    if grant.client_id == client_id && grant.profile.subject == subject {
                        found += 1;
                        if found > MAX_GRANTS_PER_CLIENT {
                            oldest.push(id);
                        }
                    }
                }
            }
        }
        let mut ended = 0;
        for id in oldest.iter().rev().take(MAX_ENDED_AT_ONCE) {
            self.end(id, now).await?;
            ended += 1;
        }
        Ok(ended)
    }

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
        let newest = now / span.period;
        let oldest = newest.saturating_sub(span.indexes() - 1);
        let mut page = Page {
            grants: Vec::new(),
            next: None,
        };
        let mut looked_at = 0;
        let begin = from.map_or(newest, |cursor| cursor.period.min(newest));
        for period in (oldest..=begin).rev() {
            let codes = self
                .keys
                .mac_with_all(TAG, &message(subject, period))
                .collect::<Vec<_>>();
            for (key, code) in codes.iter().enumerate() {
                let tag = tag(code);
                let last = match from {
                    Some(cursor) if cursor.period == period && key < cursor.key => continue,
                    Some(cursor) if cursor.period == period && key == cursor.key => {
                        let last = self.store.numbers(COUNTER, &tag).await?;
                        cursor.slot.min(last)
                    }
                    _ => self.store.numbers(COUNTER, &tag).await?,
                };
                for slot in (1..=last).rev() {
                    if page.grants.len() == MAX_PAGE || looked_at == MAX_SLOTS_READ {
                        page.next = Some(PageCursor { period, key, slot });
                        return Ok(page);
                    }
                    looked_at += 1;
                    page.grants
                        .extend(self.listed(subject, &slot_id(&tag, slot), now).await?);
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
        let Some(Slot { grant: id }) = self.store.get(slot, now).await? else {
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

fn message(subject: &str, period: u64) -> Vec<u8> {
    [period.to_be_bytes().as_slice(), subject.as_bytes()].concat()
}

fn tag(code: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(&code[..16])
}

fn slot_id(tag: &str, slot: u64) -> String {
    format!("{tag}.{slot}")
}

#[cfg(test)]
mod tests;
