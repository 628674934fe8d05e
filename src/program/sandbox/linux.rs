//! What only Linux has: Landlock, the filter of system calls, user ids without their privileges.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};
use rustix::fs::{Gid, Uid};
use rustix::process::{Signal, getppid, getuid, set_parent_process_death_signal};
use rustix::thread::{
    CapabilitySet, CapabilitySets, configure_capability_in_ambient_set, set_capabilities,
    set_keep_capabilities, set_no_new_privs, set_thread_gid, set_thread_groups, set_thread_uid,
};

use super::{Entry, calls};

/// The newest interface that the rules are written for; a kernel that knows less does what it can.
const LANDLOCK: ABI = ABI::V6;

/// Devices that hold nothing.
pub(super) const DEVICES: &[&str] =
    &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

type Take<'a> = dyn FnMut(&'static str, &mut dyn FnMut() -> Result<String, String>) -> bool + 'a;

/// Take all measures of this system.
pub(super) fn confine(entry: &Entry, take: &mut Take<'_>) {
    // What the program reads may be readable for us alone.
    let mut rules = if entry.wants("files") {
        rules(entry).map_err(|error| error.to_string())
    } else {
        Err("left out".to_owned())
    };
    let has_rules = rules.is_ok();
    take("user", &mut || change_user(entry, has_rules));
    take("death_signal", &mut || die_with(entry.parent));
    take("no_new_privileges", &mut || match set_no_new_privs(true) {
        Ok(()) => Ok("set".to_owned()),
        Err(error) => Err(error.to_string()),
    });
    let mut restricted = None;
    take("files", &mut || {
        let rules = std::mem::replace(&mut rules, Err("taken".to_owned()))?;
        let status = rules.restrict_self().map_err(|error| error.to_string())?;
        let abi = abi(&status)?;
        restricted = Some(abi);
        match status.ruleset {
            RulesetStatus::NotEnforced => Err("the kernel did not take the rules".to_owned()),
            _ => Ok(format!("Landlock, interface {abi}")),
        }
    });
    if restricted.is_none() {
        // The right to read past permissions was kept for rules that are not there.
        let _ = give_up_capabilities(CapabilitySet::empty());
    }
    let since = |interface: u32, what: &str| match restricted {
        Some(abi) if abi >= interface => Ok(format!("Landlock, interface {abi}")),
        Some(abi) => {
            Err(format!("Landlock has {what} since interface {interface}; here it is {abi}"))
        }
        None => Err("no Landlock".to_owned()),
    };
    take("ports", &mut || since(4, "ports"));
    let is_other_user = !getuid().is_root() && getuid().as_raw() == entry.user;
    let signals_end = take("signals", &mut || {
        let by_user =
            if is_other_user { Ok("the testbed runs as another user".to_owned()) } else { Err(()) };
        since(6, "signals").or_else(|why| by_user.clone().map_err(|()| why))
    });
    let may_fork = entry.limits.processes > 1;
    take("system_calls", &mut || {
        calls::refuse(match entry.zygote {
            true => calls::May { fork: true, signal: true, own: false, begin: true },
            false => calls::May {
                fork: may_fork,
                signal: may_fork && signals_end,
                own: may_fork && is_other_user,
                begin: false,
            },
        })
    });
}

fn abi(status: &RestrictionStatus) -> Result<u32, String> {
    match status.landlock {
        LandlockStatus::Available { effective_abi, kernel_abi } => {
            Ok(kernel_abi.map_or(effective_abi as u32, |abi| abi.unsigned_abs()))
        }
        LandlockStatus::NotEnabled => {
            Err("Landlock is switched off: add `landlock` to the kernel's `lsm=`".to_owned())
        }
        _ => Err("the kernel has no Landlock: it came with Linux 5.13".to_owned()),
    }
}

fn rules(entry: &Entry) -> Result<RulesetCreated, landlock::RulesetError> {
    let reads = AccessFs::from_read(LANDLOCK);
    let writes: BitFlags<AccessFs> =
        AccessFs::WriteFile | AccessFs::Truncate | AccessFs::RemoveFile | AccessFs::RemoveDir;
    // A program's scratch folder is flat: who makes folders a million deep wants to see who can
    // remove them.
    let mut makes: BitFlags<AccessFs> = AccessFs::MakeReg.into();
    if entry.limits.processes > 1 {
        makes |= AccessFs::MakeDir | AccessFs::MakeSym | AccessFs::Refer;
    }
    if entry.zygote {
        // Each fork makes a scratch folder of its own.
        makes |= AccessFs::MakeDir;
    }
    let devices = DEVICES.iter().filter_map(|path| PathFd::new(path).ok());
    Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(&entry.readable, reads))?
        .add_rules(path_beneath_rules(&entry.scratch, reads | writes | makes))?
        .add_rules(devices.map(|fd| {
            Ok::<_, landlock::RulesetError>(PathBeneath::new(
                fd,
                AccessFs::ReadFile | AccessFs::WriteFile,
            ))
        }))
}

/// As root: become a user that owns nothing. As anybody else: give up what rights there are besides
/// the user's own.
///
/// `may_read` keeps one right of root's, to read past permissions: an instructor's submissions and
/// interpreters are often in folders of root's own. What can be read is then decided by Landlock
/// alone.
fn change_user(entry: &Entry, may_read: bool) -> Result<String, String> {
    if !getuid().is_root() {
        let _ = give_up_capabilities(CapabilitySet::empty());
        return Err("only root can become another user".to_owned());
    }
    let because = |what: &str| {
        let what = what.to_owned();
        move |error: rustix::io::Errno| format!("{what}: {error}")
    };
    let (user, group) = (Uid::from_raw(entry.user), Gid::from_raw(entry.user));
    if let Some(scratch) = &entry.scratch {
        rustix::fs::chown(scratch, Some(user), Some(group))
            .map_err(because("the scratch folder cannot be given away"))?;
    }
    set_thread_groups(&[]).map_err(because("groups cannot be left"))?;
    set_thread_gid(group).map_err(because("the group cannot be changed"))?;
    set_keep_capabilities(true).map_err(because("capabilities"))?;
    // The process has one thread, so this is the whole of it.
    set_thread_uid(user).map_err(because("the user cannot be changed"))?;
    let kept = if may_read { CapabilitySet::DAC_READ_SEARCH } else { CapabilitySet::empty() };
    give_up_capabilities(kept).map_err(because("capabilities"))?;
    Ok(format!("user id {}", entry.user))
}

/// Keep these capabilities, also as the program, and no others.
fn give_up_capabilities(kept: CapabilitySet) -> Result<(), rustix::io::Errno> {
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: kept })?;
    for one in kept.iter() {
        configure_capability_in_ambient_set(one, true)?;
    }
    Ok(())
}

fn die_with(parent: u32) -> Result<String, String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| error.to_string())?;
    // A testbed that was gone before that is no parent any more.
    match getppid() {
        Some(is) if is.as_raw_nonzero().get().unsigned_abs() == parent => {
            Ok("ended with the testbed".to_owned())
        }
        _ => Err("the testbed is not its parent".to_owned()),
    }
}
