//! What objects say of each other that cannot be so.

/// Something odd about an object, that is counted and otherwise taken as far as it makes sense.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Oddity {
    /// Its owners own each other.
    CyclicOwners,
    /// The owner of that name has another uid than it says: an earlier one, or one of another namespace.
    OtherOwner,
    /// More than one owner claims to be its controller.
    SeveralControllers,
    /// There was no room for it.
    NoRoom,
}

impl Oddity {
    pub(crate) const ALL: [Self; 4] = [Self::CyclicOwners, Self::OtherOwner, Self::SeveralControllers, Self::NoRoom];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CyclicOwners => "cyclic-owners",
            Self::OtherOwner => "other-owner",
            Self::SeveralControllers => "several-controllers",
            Self::NoRoom => "no-room",
        }
    }
}
