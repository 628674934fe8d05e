//! The measures specific to Linux: Landlock, the system call filter, user ids without privileges.

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

/// The newest Landlock version that the rules are written for; an older kernel applies what it
/// supports.
const LANDLOCK: ABI = ABI::V6;

/// Devices without content.
pub(super) const DEVICES: &[&str] =
    &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

type Take<'a> = dyn FnMut(&'static str, &mut dyn FnMut() -> Result<String, String>) -> bool + 'a;

/// Apply all measures of this system.
pub(super) fn confine(entry: &Entry, take: &mut Take<'_>) {
    // Open the paths now: only this user may be able to read them.
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
            RulesetStatus::NotEnforced => Err("the kernel did not enforce the rules".to_owned()),
            _ => Ok(format!("Landlock ABI {abi}")),
        }
    });
    if restricted.is_none() {
        // Reading past permissions was kept for the rules, which are not in force.
        let _ = give_up_capabilities(CapabilitySet::empty());
    }
    let since = |interface: u32, what: &str| match restricted {
        Some(abi) if abi >= interface => Ok(format!("Landlock ABI {abi}")),
        Some(abi) => {
            Err(format!("Landlock has {what} since ABI {interface}; this kernel has ABI {abi}"))
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
            Err("Landlock is disabled: add `landlock` to the kernel's `lsm=`".to_owned())
        }
        _ => Err("the kernel has no Landlock (Linux 5.13)".to_owned()),
    }
}

fn rules(entry: &Entry) -> Result<RulesetCreated, landlock::RulesetError> {
    let reads = AccessFs::from_read(LANDLOCK);
    let writes: BitFlags<AccessFs> =
        AccessFs::WriteFile | AccessFs::Truncate | AccessFs::RemoveFile | AccessFs::RemoveDir;
    // A program's scratch folder is flat: a million nested folders would be hard to remove.
    let mut makes: BitFlags<AccessFs> = AccessFs::MakeReg.into();
    if entry.limits.processes > 1 {
        makes |= AccessFs::MakeDir | AccessFs::MakeSym | AccessFs::Refer;
    }
    if entry.zygote {
        // Each fork creates its own scratch folder.
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

/// As root, become a user that owns nothing. As any other user, drop all capabilities.
///
/// `may_read` keeps one of root's capabilities, reading past permissions, because an instructor's
/// submissions and interpreters are often in root's folders. Landlock alone then decides what can
/// be read.
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
            .map_err(because("cannot change the owner of the scratch folder"))?;
    }
    set_thread_groups(&[]).map_err(because("cannot leave groups"))?;
    set_thread_gid(group).map_err(because("cannot change the group"))?;
    set_keep_capabilities(true).map_err(because("capabilities"))?;
    // The process is single-threaded, so this affects all of it.
    set_thread_uid(user).map_err(because("cannot change the user"))?;
    let kept = if may_read { CapabilitySet::DAC_READ_SEARCH } else { CapabilitySet::empty() };
    give_up_capabilities(kept).map_err(because("capabilities"))?;
    Ok(format!("user id {}", entry.user))
}

/// Keep only these capabilities, also after becoming the program.
fn give_up_capabilities(kept: CapabilitySet) -> Result<(), rustix::io::Errno> {
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: kept })?;
    for one in kept.iter() {
        configure_capability_in_ambient_set(one, true)?;
    }
    Ok(())
}

fn die_with(parent: u32) -> Result<String, String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| error.to_string())?;
    // If the testbed was gone before that, it is no longer the parent.
    match getppid() {
        Some(is) if is.as_raw_nonzero().get().unsigned_abs() == parent => {
            Ok("killed with the testbed".to_owned())
        }
        _ => Err("the testbed is not its parent".to_owned()),
    }
}
