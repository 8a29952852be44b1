use microvisor::sys;

use super::{Kernel, Outcome, length};

impl Kernel {
    pub(crate) fn get_microseconds(&mut self, out: *mut u64) -> Outcome {
        self.output(out, "ms")?;
        let now = self.now;
        self.put(out, now, "ms", now);
        Ok(())
    }

    pub(crate) fn get_wall_time(&mut self, out: *mut u64) -> Outcome {
        self.output(out, "usec")?;
        if !self.date_is_known() {
            return Err(sys::MV_STATUS_TIMENOTSET);
        }
        let now = self.unix_micros();
        self.put(out, now, "usec", now);
        Ok(())
    }

    pub(crate) fn get_device_id(&mut self, out: *mut u8, len: u32) -> Outcome {
        let id = self.device_id.clone();
        if len != length(id.as_bytes()) {
            return self.misused(
                sys::MV_STATUS_INVALIDBUFFERSIZE,
                format!("the buffer has {len} bytes, a device id has {}", id.len()),
            );
        }
        self.output_bytes(out, len, "buf", sys::MV_STATUS_PARAMETERFAULT)?;
        self.fill(out, len as usize, id.as_bytes());
        self.note("buf", format_args!("{id:?}"));
        Ok(())
    }
}
