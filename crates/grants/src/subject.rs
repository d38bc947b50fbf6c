//! Which grants a person has: for them, and for an operator.
//!
//! No backend lists its keys, so every grant is entered in an index of its person's. A person has
//! one index for each thirty days, named by a keyed hash of who it is: its slots are numbered by a
//! counter, and each holds a grant's id for as long as the grant lives. Nothing enters an index after
//! its thirty days, and no grant outlives a year; so a whole index is dead at a time that is
//! known when it begins, which is when the sweep takes its counter. Nothing is ever compacted:
//! whoever looks reads the newest slots of the indexes that may hold a living grant, a bounded number
//! at a time.
//!
//! A client's own grants are found in the same way. They last a day at most, so an index of theirs
//! covers a day.

use crate::machine::is_client_subject;
use crate::{Grant, Grants};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::Purpose;
use serde::{Deserialize, Serialize};
use store::{KeyValue, Record};

const TAG: Purpose = Purpose("index of a person's grants");

const GRANT_LIMIT: Purpose = Purpose("limit of a person's grants");

/// Grants of one client that a person may have at a time: so many installations of it may be in use.
/// When one more begins, the oldest ends.
pub const MAX_GRANTS_PER_CLIENT: usize = 20;

/// Grants that a person may begin within an hour.
pub const MAX_GRANTS_PER_HOUR: u64 = 60;

/// Grants that one sign-in ends at most. More are there only if they began before the limit was.
const MAX_ENDED_AT_ONCE: usize = 8;

/// Slots that are looked at for that when a grant begins.
const MAX_COUNTED: u64 = 500;

/// The counter of the grants that a person began in an hour.
const LIMIT: &str = "grant-limit";

const HOUR: u64 = 3600;

const DAY: u64 = 86_400;

/// The times of an index, in seconds.
struct Span {
    /// So long it covers.
    period: u64,
    /// So long a grant in it may live at most.
    longest: u64,
}

const PERSON: Span = Span {
    period: 30 * DAY,
    longest: 366 * DAY,
};

/// As long as an access token may live at most.
const CLIENT: Span = Span {
    period: DAY,
    longest: DAY,
};

impl Span {
    fn of(subject: &str) -> Self {
        if is_client_subject(subject) {
            CLIENT
        } else {
            PERSON
        }
    }

    /// Indexes that may hold a grant that lives.
    fn indexes(&self) -> u64 {
        self.longest.div_ceil(self.period) + 1
    }
}

/// The counter of an index.
const COUNTER: &str = "subject";

/// Grants that a [`Page`] holds at most.
pub(crate) const PAGE: usize = 50;

/// Slots that are looked at for one [`Page`] at most: most of them may be of grants that have ended.
pub(crate) const LOOKED_AT: u64 = 1000;

/// A slot of an index.
#[derive(Serialize, Deserialize)]
struct Slot {
    grant: String,
}

impl Record for Slot {
    const KIND: &'static str = "subject-grant";
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
    /// Where to go on.
    pub next: Option<Place>,
}

/// How many grants were ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// So many.
    pub count: usize,
    /// Where to go on.
    pub next: Option<Place>,
}

/// Where to go on: an index (counted back from the newest), a key of the ring, a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    period: u64,
    key: usize,
    slot: u64,
}

impl Place {
    /// What [`Display`](std::fmt::Display) wrote; whatever else it names, nothing is found there.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        Some(Self {
            period: parts.next()?.parse().ok()?,
            key: parts.next()?.parse().ok()?,
            slot: parts.next()?.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.period, self.key, self.slot)
    }
}

impl<K: KeyValue> Grants<'_, K> {
    /// Whether `subject` may begin one more grant at `now` (seconds since the Unix epoch), which
    /// counts as one: [`MAX_GRANTS_PER_HOUR`].
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn may_begin(&self, subject: &str, now: u64) -> Result<bool, store::Error> {
        let person = tag(&self.keys.mac(GRANT_LIMIT, subject.as_bytes()));
        self.store
            .within_limit(&format!("{LIMIT}:{person}"), MAX_GRANTS_PER_HOUR, HOUR, now)
            .await
    }

    /// A slot of a person's index, for a grant that begins at `created_at` (seconds since the Unix
    /// epoch). Nobody else is given it.
    pub(crate) async fn take_slot(
        &self,
        subject: &str,
        created_at: u64,
    ) -> Result<String, store::Error> {
        let span = Span::of(subject);
        let period = created_at / span.period;
        let tag = tag(&self.keys.mac(TAG, &message(subject, period)));
        let forget_at = (period + 1) * span.period + span.longest;
        let slot = self.store.next_number(COUNTER, &tag, forget_at).await?;
        Ok(slot_id(&tag, slot))
    }

    /// Enters a grant in its person's index. The grant's own entry for the sweep covers the slot.
    pub(crate) async fn fill_slot(
        &self,
        slot: &str,
        id: &str,
        expires_at: u64,
    ) -> Result<(), store::Error> {
        let record = Slot { grant: id.into() };
        self.store.put(slot, &record, Some(expires_at)).await
    }

    pub(crate) fn slot_key(&self, slot: &str) -> String {
        self.store.key(Slot::KIND, slot)
    }

    /// Ends the oldest grants that `subject` has of a client at `now` (seconds since the Unix epoch)
    /// beyond [`MAX_GRANTS_PER_CLIENT`], a few at a time, and returns how many. Bounded in its reads:
    /// what is older than the newest [`MAX_COUNTED`] sign-ins is not counted.
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

    /// Some of the grants that `subject` has at `now` (seconds since the Unix epoch), from the
    /// newest on, or from where an earlier page ended. Bounded in its reads; writes nothing.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn of_subject(
        &self,
        subject: &str,
        from: Option<Place>,
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
        let begin = from.map_or(newest, |place| place.period.min(newest));
        for period in (oldest..=begin).rev() {
            let codes = self
                .keys
                .mac_with_all(TAG, &message(subject, period))
                .collect::<Vec<_>>();
            for (key, code) in codes.iter().enumerate() {
                let tag = tag(code);
                let last = match from {
                    Some(place) if place.period == period && key < place.key => continue,
                    Some(place) if place.period == period && key == place.key => {
                        let last = self.store.numbers(COUNTER, &tag).await?;
                        place.slot.min(last)
                    }
                    _ => self.store.numbers(COUNTER, &tag).await?,
                };
                for slot in (1..=last).rev() {
                    if page.grants.len() == PAGE || looked_at == LOOKED_AT {
                        page.next = Some(Place { period, key, slot });
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

    /// Ends the grant with this id if it is of `subject`, and says whether it was.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn end_of_subject(
        &self,
        subject: &str,
        id: &str,
        now: u64,
    ) -> Result<bool, store::Error> {
        // Anybody may have made the id up, and it becomes part of a key.
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

    /// Ends a page's worth of the grants of `subject`; with where it stopped, the next call goes on.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn end_page_of_subject(
        &self,
        subject: &str,
        from: Option<Place>,
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

    /// The grant in a slot, if it lives.
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
        // The grant itself says whose it is; the index only helps to find it.
        if grant.profile.subject != subject {
            return Ok(None);
        }
        let used_at = match self.refreshed_at(&id, now).await? {
            Some(at) => Some(at),
            // A client's own grant is used when it is made.
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
