//! The commands in the README do what it says.

use std::process::Command;

use crate::line::{ENDPOINT, Line, folder};

const README: &str = include_str!("../../../README.md");

/// The block of commands below this heading.
fn commands(heading: &str) -> &'static str {
    let (_, section) = README.split_once(heading).unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    block.split_once("```\n").unwrap().0
}

#[cfg(unix)]
#[test]
fn the_commands_in_the_readme_store_one_devices_entries_and_those_of_a_list() {
    let line = Line::of(3);
    line.write_list([1, 2]);
    let (sid, thing) = (&line.devices[0].sid, folder(0));
    line.tool
        .run(&["bundle", &thing, "--endpoint", ENDPOINT, "--sid", sid, "-o", "device.json"])
        .assert_done();

    // The tool's environment and folder, for a shell.
    let tool = line.tool.command(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", commands("### Into the stores")]).current_dir(line.tool.folder.path());
    shell.envs(tool.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let program = std::path::Path::new(tool.get_program());
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = shell.env("PATH", path).output().unwrap();

    assert!(output.status.success(), "{output:?}");
    assert_eq!(line.api.creations().len(), 15);
    assert!(line.api.creations().values().all(|count| *count == 1));
    let report = std::fs::read_to_string(line.tool.path("report.csv")).unwrap();
    assert_eq!(report.matches(",done,5,5,").count(), 2);
}
