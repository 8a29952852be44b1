//! Sleeping, restarting, and what the system has to say.

use microvisor::sys;

use super::handles::{Object, SystemEvents};
use super::pointers::write_output;
use super::{Kernel, Outcome};
use crate::names;

/// How the application ended itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `mvRestart`.
    Restart,
    /// `mvDeepSleep` with this `MvDeepSleepMode`.
    DeepSleep(sys::MvDeepSleepMode),
}

impl Kernel {
    /// Refuses a call from an interrupt handler.
    pub(super) fn require_thread_mode(&mut self) -> Outcome {
        if self.in_handler {
            return self.misused(sys::MV_STATUS_UNAVAILABLE, "called from an interrupt handler");
        }
        Ok(())
    }

    /// The processor cannot rest while somebody wants the network.
    fn require_idle_network(&self) -> Outcome {
        if self.handles.networks().count() > 0 { Err(sys::MV_STATUS_MICROVISORBUSY) } else { Ok(()) }
    }

    pub(crate) fn power_save(&mut self, mode: sys::MvPowerSavingMode) -> Outcome {
        self.require_thread_mode()?;
        if mode > sys::MV_POWERSAVINGMODE_STOP3 {
            return self.misused(sys::MV_STATUS_PARAMETERFAULT, format!("{mode} is no power saving mode"));
        }
        self.require_idle_network()?;
        self.dozes = true;
        Ok(())
    }

    pub(crate) fn deep_sleep(&mut self, mode: sys::MvDeepSleepMode) -> Outcome {
        self.require_thread_mode()?;
        if mode > sys::MV_DEEPSLEEPMODE_SHUTDOWN {
            return self.misused(sys::MV_STATUS_PARAMETERFAULT, format!("{mode} is no deep sleep mode"));
        }
        self.require_idle_network()?;
        self.end = Some(End::DeepSleep(mode));
        Ok(())
    }

    pub(crate) fn restart(&mut self, mode: sys::MvRestartMode) -> Outcome {
        self.require_thread_mode()?;
        if mode != sys::MV_RESTARTMODE_AUTOAPPLYUPDATE {
            return self.misused(sys::MV_STATUS_PARAMETERFAULT, format!("{mode} is no restart mode"));
        }
        self.end = Some(End::Restart);
        Ok(())
    }

    pub(crate) fn get_wake_reason(&mut self, out: *mut sys::MvWakeReason) -> Outcome {
        self.require_thread_mode()?;
        self.output(out, "mode")?;
        self.put(out, sys::MV_WAKEREASON_COLDBOOT, "mode", "COLDBOOT");
        Ok(())
    }

    pub(crate) fn system_led_enable(&mut self, enable: u32) -> Outcome {
        self.require_thread_mode()?;
        if enable > 1 {
            self.report(format!("{enable} is neither 0 nor 1"));
        }
        Ok(())
    }

    pub(crate) fn open_system_notification(
        &mut self,
        params: *const sys::MvOpenSystemNotificationParams,
        handle_out: *mut u32,
    ) -> Outcome {
        self.require_thread_mode()?;
        let params = self.input(params, "params")?;
        self.output(handle_out, "handle")?;
        self.require_center(params.notification_handle)?;
        let source = params.notification_source;
        if source > sys::MV_SYSTEMNOTIFICATIONSOURCE_UPDATE {
            return self
                .misused(sys::MV_STATUS_PARAMETERFAULT, format!("{source} is no notification source"));
        }
        let events =
            SystemEvents { center: params.notification_handle, tag: params.notification_tag, source };
        let handle = self.new_handle(Object::SystemEvents(events));
        self.put(handle_out, handle, "handle", names::handle(handle));
        Ok(())
    }

    pub(crate) fn close_system_notification(&mut self, handle_in_out: *mut u32) -> Outcome {
        self.require_thread_mode()?;
        let handle = self.handle_to_close(handle_in_out, sys::MV_STATUS_INVALIDHANDLE)?;
        self.require(handle, "system notification", |object| matches!(object, Object::SystemEvents(_)))?;
        self.retire_handle(handle);
        write_output(handle_in_out, 0);
        Ok(())
    }

    /// An update of the application has arrived.
    pub(crate) fn update_downloaded(&mut self) {
        let listeners = self
            .handles
            .system_events()
            .filter(|events| events.source == sys::MV_SYSTEMNOTIFICATIONSOURCE_UPDATE)
            .map(|events| (events.center, events.tag));
        for (center, tag) in listeners.collect::<Vec<_>>() {
            self.notify(center, sys::MV_EVENTTYPE_UPDATEDOWNLOADED, tag);
        }
    }
}
