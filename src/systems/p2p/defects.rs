//! The mistakes that can be planted, and nothing else: which there are, and what each changes.

use crate::defects::defects;

defects! {
    // The directory.
    RetryNotIdempotent "retry-not-idempotent" "p2p_directory_linearizable" "p2p/lost-answers" 2
        "A request that is repeated because its answer was lost is executed again: `register` \
            turns into \"in use\"."
    LostOnCrash "lost-on-crash" "p2p_directory_linearizable" "p2p/directory-crashes" 3
        "The directory's tables are rewritten in place, and a crash in the middle leaves a mixture."
    EarlyAnswer "early-answer" "p2p_directory_linearizable" "p2p/directory-crashes" 2
        "The directory answers before what it has done is on the disk."
    GhostUser "ghost-user" "p2p_ghosts_vanish" "p2p/peer-crashes" 2
        "A peer that crashed stays connected for ever."
    GhostFiles "ghost-files" "p2p_directory_linearizable" "p2p/coming-and-going" 2
        "What a user has published is not forgotten when it disconnects."
    AnyHost "any-host" "p2p_directory_linearizable" "p2p/borrowed-names" 2
        "Who is connected is asked, but not from where: anybody publishes and disconnects in the \
            name of others."
    DoubleConnect "double-connect" "p2p_script" "p2p/table" 2
        "Nobody looks whether a user is connected already: the second connection takes the place \
            of the first."
    FirstAddress "first-address" "p2p_users_listed" "p2p/coming-and-going" 2
        "A user who connects again is shown at the port of its first connection."
    OneErrorCode "one-error-code" "p2p_statuses" "p2p/coming-and-going" 2
        "Whatever is wrong, the status is that of failure."
    LoggerBlocks "logger-blocks" "availability" "p2p/logger-down" 2
        "The directory waits for the logging server before it answers."
    LoggedFirst "logged-first" "p2p_operation_log" "p2p/directory-crashes" 2
        "An operation is reported to the logging server before it is executed."
    OneRead "one-read" "p2p_directory_linearizable" "p2p/bytes-in-pieces" 2
        "What one read gives is taken for whole strings, however the bytes were cut on their way."
    MalformedKills "malformed-kills" "no_panic" "p2p/hostile-connections" 2
        "A request that is none ends the directory's process."
    OneAtATime "one-at-a-time" "availability" "p2p/hostile-connections" 2
        "The directory serves one connection after the other, and one that says nothing keeps all \
            others waiting."
    // Peers.
    StaleAddress "stale-address" "p2p_published_is_fetched" "p2p/moved-peer" 2
        "After a transfer that failed the addresses are not asked for again."
    PartialFile "partial-file" "p2p_files_whole" "p2p/cut-transfers" 2
        "The end of the connection is taken for the end of the file: a broken transfer leaves a \
            short file, reported OK."
    OverwriteFirst "overwrite-first" "p2p_failure_leaves_files" "p2p/cut-transfers" 2
        "The file is written under its final name at once, over what was there."
    UnpublishedServed "unpublished-served" "p2p_only_published_served" "p2p/coming-and-going" 2
        "The sharing peer does not look at its list of published files before it sends."
    WithdrawnServed "withdrawn-served" "p2p_only_published_served" "p2p/coming-and-going" 2
        "What is deleted at the directory stays on the sharing peer's own list."
    PathTraversal "path-traversal" "p2p_only_published_served" "p2p/paths" 2
        "The sharing peer compares only the last part of the path with its list, and opens the \
            whole path."
    WaitsForEver "waits-for-ever" "p2p_answered_in_time" "p2p/cut-transfers" 2
        "The end of a connection is not noticed while a file comes, and there is no limit of time."
    OwnClock "own-clock" "p2p_dates" "p2p/date-service-down" 2
        "When the date service does not answer, a peer writes the date of its own clock."
}

impl Planted {
    /// Whether a request that was executed already is executed again.
    pub fn repeats_requests(self) -> bool {
        self.plants(Defect::RetryNotIdempotent)
    }

    /// Whether the tables are one file that is overwritten in place.
    pub fn overwrites_tables(self) -> bool {
        self.plants(Defect::LostOnCrash)
    }

    /// Whether answers leave before the disk has what they tell.
    pub fn answers_early(self) -> bool {
        self.plants(Defect::EarlyAnswer)
    }

    /// Whether connections never end by themselves.
    pub fn keeps_ghosts(self) -> bool {
        self.plants(Defect::GhostUser)
    }

    /// Whether published files outlive the connection.
    pub fn keeps_files_of_the_gone(self) -> bool {
        self.plants(Defect::GhostFiles)
    }

    /// Whether a user may act from wherever its name is given.
    pub fn believes_any_host(self) -> bool {
        self.plants(Defect::AnyHost)
    }

    /// Whether a second connection is none of anybody's business.
    pub fn connects_twice(self) -> bool {
        self.plants(Defect::DoubleConnect)
    }

    /// Whether the port of the first connection is shown for ever.
    pub fn lists_first_port(self) -> bool {
        self.plants(Defect::FirstAddress)
    }

    /// Whether all errors have one status.
    pub fn knows_one_error(self) -> bool {
        self.plants(Defect::OneErrorCode)
    }

    /// Whether answers wait for the logging server.
    pub fn waits_for_logger(self) -> bool {
        self.plants(Defect::LoggerBlocks)
    }

    /// Whether the report goes out before the deed.
    pub fn reports_first(self) -> bool {
        self.plants(Defect::LoggedFirst)
    }

    /// Whether the end of a read is taken for the end of a string.
    pub fn trusts_reads(self) -> bool {
        self.plants(Defect::OneRead)
    }

    /// Whether a malformed request is fatal.
    pub fn dies_of_malformed(self) -> bool {
        self.plants(Defect::MalformedKills)
    }

    /// Whether connections wait for each other, and silent ones are kept.
    pub fn serves_in_turn(self) -> bool {
        self.plants(Defect::OneAtATime)
    }

    /// Whether addresses are asked for once only.
    pub fn trusts_cache(self) -> bool {
        self.plants(Defect::StaleAddress)
    }

    /// Whether the end of the connection ends the file.
    pub fn ends_with_connection(self) -> bool {
        self.plants(Defect::PartialFile)
    }

    /// Whether a file is written under its final name from the first byte on.
    pub fn writes_in_place(self) -> bool {
        self.plants(Defect::OverwriteFirst)
    }

    /// Whether any file of the folder is served.
    pub fn serves_anything(self) -> bool {
        self.plants(Defect::UnpublishedServed)
    }

    /// Whether withdrawn files stay on the peer's own list.
    pub fn keeps_withdrawn(self) -> bool {
        self.plants(Defect::WithdrawnServed)
    }

    /// Whether only the last part of a path is looked up.
    pub fn opens_whole_paths(self) -> bool {
        self.plants(Defect::PathTraversal)
    }

    /// Whether a transfer waits without end.
    pub fn waits_for_ever(self) -> bool {
        self.plants(Defect::WaitsForEver)
    }

    /// Whether a peer trusts its own clock for want of another.
    pub fn dates_itself(self) -> bool {
        self.plants(Defect::OwnClock)
    }
}
