use shared_kernel::{Aggregate, Stamp};

use crate::command::Command;
use crate::event::Event;
use crate::kind::Kind;
use crate::rejection::Rejection;
use crate::setting::Setting;
use crate::{decide, evolve, legal};

impl<K: Kind> Aggregate for Setting<K> {
    const TYPE: &'static str = K::NAME;
    const STATE_SCHEMA: i16 = K::STATE_SCHEMA;

    type Id = K::Id;
    type State = Self;
    type Command = Command<K>;
    type Event = Event<K>;
    type Context = ();
    type Rejection = Rejection;

    /// The checks come in the order in which HTTP answers them: whether the document itself is sound (422), whether the
    /// setting's state lets it happen (409).
    fn decide(setting: Option<&Self>, command: &Command<K>, (): &()) -> Result<Vec<Event<K>>, Rejection> {
        decide::decide(setting, command)
    }

    fn evolve(setting: Option<Self>, event: &Event<K>, stamp: &Stamp) -> Option<Self> {
        evolve::evolve(setting, event, stamp)
    }

    fn check_step(setting: Option<&Self>, event: &Event<K>) -> Result<(), Box<dyn std::error::Error>> {
        Ok(legal::legal_step(setting, event)?)
    }

    fn size_of(setting: &Self) -> usize {
        let names = setting.handle.as_str().len() + setting.name.as_str().len();
        size_of::<Self>() + names + K::size_of(&setting.document)
    }
}
