//! Building the images.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::Result;
use crate::flash_image::flash_image;
use crate::options::Options;
use crate::sizes::{Image, Sizes};
use crate::toolchain::{self, TARGET, Toolchain};

/// Names, and the features that they need.
const IMAGES: [(&str, Option<&str>); 4] = [
    ("blink_log", None),
    ("aws_iot", None),
    ("aws_iot_embassy", Some("embassy")),
    ("aws_iot_rtic", Some("rtic")),
];

/// The package of the images.
pub(crate) fn package() -> PathBuf {
    root().join("examples/nucleo-u585")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether it is the main example's application, which an emulator can judge.
pub(crate) fn is_application(image: &str) -> bool {
    image.starts_with("aws_iot")
}

/// Builds the images that are named, or all.
///
/// # Errors
///
/// One is not known, what builds them is missing, or it failed.
pub(crate) fn build(options: &Options) -> Result<Vec<Image>> {
    let images = chosen(&options.names)?;
    let toolchain = Toolchain::find()?;
    let linker = toolchain::linker(options.linker.as_deref())?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let target = env::current_dir()?.join(target);
    let folder = target.join("firmware");
    fs::create_dir_all(&folder)?;
    let build = Build { options, toolchain, linker, target: target.join("firmware-build"), folder };
    images.into_iter().map(|(name, feature)| build.image(name, feature)).collect()
}

fn chosen(names: &[String]) -> Result<Vec<(&'static str, Option<&'static str>)>> {
    if names.is_empty() {
        return Ok(IMAGES.to_vec());
    }
    let find = |name: &String| {
        let known = IMAGES.map(|(name, _)| name).join(", ");
        let image = IMAGES.into_iter().find(|(known, _)| known == name);
        image.ok_or_else(|| format!("no image {name}; there are {known}").into())
    };
    names.iter().map(find).collect()
}

struct Build<'o> {
    options: &'o Options,
    toolchain: Toolchain,
    linker: PathBuf,
    /// Cargo's.
    target: PathBuf,
    /// Where the images go.
    folder: PathBuf,
}

impl Build<'_> {
    fn image(&self, name: &str, feature: Option<&str>) -> Result<Image> {
        self.compile(name, feature)?;
        let elf = fs::read(self.target.join(TARGET).join("release").join(name))?;
        let file = self.folder.join(name).with_extension("elf");
        fs::write(&file, &elf)?;
        fs::write(file.with_extension("bin"), flash_image(&elf)?)?;
        Ok(Image { name: name.to_owned(), elf: file, sizes: Sizes::of(&elf)? })
    }

    fn compile(&self, name: &str, feature: Option<&str>) -> Result<()> {
        let worst_case = if self.options.halts { "panic-halt" } else { "panic-restart" };
        let features = [Some(worst_case), feature].into_iter().flatten().collect::<Vec<_>>().join(",");
        let mut arguments =
            vec!["rustc", "--release", "--bin", name, "--no-default-features", "--features", &features];
        if self.options.locked {
            arguments.push("--locked");
        }
        let mut cargo = self.toolchain.cargo(&arguments);
        cargo.current_dir(package()).env("CARGO_TARGET_DIR", &self.target);
        if let Some(stubs) = &self.options.vendor_stubs {
            let stubs = stubs.canonicalize().map_err(|error| format!("{}: {error}", stubs.display()))?;
            cargo.env("MICROVISOR_STUBS", stubs);
        }
        // As an argument, not by configuration, by which cargo sees no need to link again.
        cargo.args(["--", "-C"]).arg(format!("linker={}", self.linker.display()));
        // One base address for many statics, which otherwise each have their own.
        cargo.args(["-C", "llvm-args=-arm-global-merge=true"]);
        let status = cargo.status()?;
        if status.success() { Ok(()) } else { Err(format!("{name} was not built: {status}").into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_names_all_images_are_built() {
        assert_eq!(chosen(&[]).unwrap().len(), IMAGES.len());
        assert_eq!(chosen(&["aws_iot_rtic".to_owned()]).unwrap(), [("aws_iot_rtic", Some("rtic"))]);
    }

    #[test]
    fn an_unknown_name_is_told_with_the_known_ones() {
        let error = chosen(&["aws".to_owned()]).unwrap_err().to_string();
        assert_eq!(error, "no image aws; there are blink_log, aws_iot, aws_iot_embassy, aws_iot_rtic");
    }

    #[test]
    fn each_image_is_a_binary_of_the_package() {
        for (name, _) in IMAGES {
            assert!(package().join("src/bin").join(name).with_extension("rs").is_file(), "{name}");
        }
    }
}
