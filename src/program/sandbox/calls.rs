//! The system calls that a program may not make: each fails with `EPERM`, as if permission were
//! missing.
//!
//! This is a deny list, not an allow list, because interpreters differ in what they need, and
//! change. It covers what reaches beyond the process and its files, which Landlock and the limits
//! guard.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter,
};

/// Refused whatever the arguments.
const REFUSED: &[c_long] = &[
    // The network, and every other socket; `socketpair`, which leads nowhere, is allowed.
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_kcmp,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    // Leaving the process group, by which everything is killed.
    libc::SYS_setpgid,
    // Namespaces and file systems.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // Calls that Landlock does not guard, or not in its first versions.
    libc::SYS_truncate,
    libc::SYS_inotify_init1,
    // The kernel's own machinery.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_personality,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    // Memory that no limit counts, or that outlives the process.
    libc::SYS_memfd_create,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
];

/// The number is the same on all architectures, but libc does not define it for all of them.
const FCHMODAT2: c_long = 452;

/// Changes to owner, permissions, times and attributes of files, which Landlock does not guard: a
/// program that runs as the user could lock the user out. Builds need `fchmod`, which sets the mode
/// of a copy.
const ATTRIBUTES: &[c_long] = &[
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

/// Old calls that create processes, which newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const FORKS: &[c_long] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const FORKS: &[c_long] = &[];

/// On x86-64 every call may have a second number, for the x32 ABI.
#[cfg(target_arch = "x86_64")]
const SECOND_NUMBERS: Option<i64> = Some(0x4000_0000);
#[cfg(not(target_arch = "x86_64"))]
const SECOND_NUMBERS: Option<i64> = None;

/// The numbers that only the x32 ABI has.
const SHORT_POINTERS: std::ops::RangeInclusive<i64> = 512..=547;

const NAMESPACES: &[i32] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Exceptions for a process.
#[derive(Clone, Copy, Default)]
pub(super) struct May {
    /// May start processes: a build.
    pub fork: bool,
    /// May signal others; another measure protects the testbed.
    pub signal: bool,
    /// May change owners and permissions; under its own user id it owns only its own files.
    pub own: bool,
    /// May start sessions and set its death signal, which a zygote's forks do before they apply all
    /// filters to themselves.
    pub begin: bool,
}

/// Refuse these calls from now on, for this process and its descendants.
pub(super) fn refuse(may: May) -> Result<String, String> {
    // The process id stays the same when this process becomes the program.
    install(may, std::process::id()).map_err(|error| match error {
        seccompiler::Error::Seccomp(error) | seccompiler::Error::Prctl(error) => {
            format!("the kernel refuses the filter: {error}")
        }
        error => error.to_string(),
    })?;
    Ok(format!(
        "a seccomp filter that refuses {} calls{}",
        refused(may).len(),
        if may.fork { "" } else { ", and new processes" }
    ))
}

fn install(may: May, own: u32) -> Result<(), seccompiler::Error> {
    filters(may, own)?.iter().try_for_each(|filter| apply_filter(filter))
}

/// The placeholder for the process id in an unfinished filter. No process id is above 2²², and no
/// call or flag equals it.
const SOME_PROCESS: u32 = 0x5eed_0bed;

/// The filters of a program without exceptions, for a process whose id is not known yet: each in
/// the kernel's format as hexadecimal digits, followed by a colon and the offsets at which the
/// process id belongs, four bytes in native byte order.
pub(super) fn unfinished() -> Result<Vec<String>, String> {
    let unfinished = |filter: &BpfProgram| {
        // `struct sock_filter`: the code, two jump offsets, a constant.
        let bytes = filter.iter().flat_map(|line| {
            [&line.code.to_ne_bytes()[..], &[line.jt, line.jf], &line.k.to_ne_bytes()].concat()
        });
        let own = filter
            .iter()
            .enumerate()
            .filter(|(_, line)| line.k == SOME_PROCESS)
            .map(|(line, _)| (8 * line + 4).to_string());
        let bytes: String = bytes.map(|byte| format!("{byte:02x}")).collect();
        format!("{bytes}:{}", own.collect::<Vec<_>>().join(","))
    };
    let filters = filters(May::default(), SOME_PROCESS).map_err(|error| error.to_string())?;
    Ok(filters.iter().map(unfinished).collect())
}

fn refused(may: May) -> Vec<c_long> {
    let mut refused = REFUSED.to_vec();
    if !may.begin {
        refused.push(libc::SYS_setsid);
    }
    if !may.fork {
        refused.extend(FORKS);
        refused.push(libc::SYS_fchmod);
    }
    if !may.own {
        refused.extend(ATTRIBUTES);
    }
    refused
}

/// The filters for the process with this id: calls that are refused, and calls that appear to be
/// unknown to the kernel.
fn filters(may: May, own: u32) -> Result<[BpfProgram; 2], seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        refused(may).into_iter().map(|call| (call, vec![])).collect();
    let mut clone = vec![];
    for namespace in NAMESPACES {
        let flag = *namespace as u64;
        clone.push(rule(0, Is::MaskedEq(flag), flag)?);
    }
    if !may.fork {
        // It can start only threads.
        clone.push(rule(0, Is::MaskedEq(libc::CLONE_THREAD as u64), 0)?);
    }
    rules.insert(libc::SYS_clone, clone);
    let own = u64::from(own);
    if !may.signal {
        // Signals to itself, as sent by `abort` and `raise`.
        for call in [libc::SYS_kill, libc::SYS_tkill, libc::SYS_tgkill, libc::SYS_rt_tgsigqueueinfo]
        {
            rules.insert(call, vec![rule(0, Is::Ne, own)?]);
        }
    }
    if !may.begin {
        for call in [libc::SYS_prlimit64, libc::SYS_sched_setaffinity] {
            rules.insert(
                call,
                vec![SeccompRule::new(vec![condition(0, Is::Ne, 0)?, condition(0, Is::Ne, own)?])?],
            );
        }
        // The death signal, by which it dies with the testbed, must stay.
        rules.insert(libc::SYS_prctl, vec![rule(0, Is::Eq, libc::PR_SET_PDEATHSIG as u64)?]);
    }
    // Opening a file for reading while truncating it: before its third version, Landlock sees only
    // the reading.
    let empties = (libc::O_ACCMODE | libc::O_TRUNC) as u64;
    rules.insert(libc::SYS_openat, vec![rule(2, Is::MaskedEq(empties), libc::O_TRUNC as u64)?]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![rule(1, Is::MaskedEq(empties), libc::O_TRUNC as u64)?]);
    if let Some(bit) = SECOND_NUMBERS {
        let second: Vec<(i64, Vec<SeccompRule>)> =
            rules.iter().map(|(call, rules)| (*call | bit, rules.clone())).collect();
        rules.extend(second);
        rules.extend(SHORT_POINTERS.map(|call| (call | bit, vec![])));
    }
    // The newer forms of `clone` and `openat` have their flags in memory, where a filter cannot see
    // them. They fail as on an older kernel, so that libraries fall back to the old forms.
    let newer = [libc::SYS_clone3, libc::SYS_openat2];
    Ok([
        compile(rules, libc::EPERM)?,
        compile(newer.map(|call| (call, vec![])).into(), libc::ENOSYS)?,
    ])
}

fn rule(argument: u8, is: Is, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![condition(argument, is, value)?])
}

fn condition(
    argument: u8,
    is: Is,
    value: u64,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, Length::Dword, is, value)
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    error: i32,
) -> Result<BpfProgram, seccompiler::Error> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(error.unsigned_abs()),
        architecture,
    )?;
    Ok(filter.try_into()?)
}
