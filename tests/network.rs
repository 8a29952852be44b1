//! Being online, being offline, and hearing of it.

mod bed;

use std::time::Duration;

use microvisor::{HandedBack, Network, NetworkError, NetworkReasons, NetworkStatus, Status, network_reasons};
use microvisor_sim::{Device, Fault, NetworkPlan};

#[test]
fn waiting_for_the_network_ends_when_it_connects() {
    let plan = NetworkPlan::connected_after(Duration::from_secs(90));
    let bed = bed!(Device::builder().network(plan));
    let mut network = Network::request(&bed.notifications).unwrap();
    assert_ne!(network.status(), Ok(NetworkStatus::Connected));
    bed.device.block_on(network.connected()).unwrap();
    assert_eq!(network.status(), Ok(NetworkStatus::Connected));
    assert!(bed.device.now() >= Duration::from_secs(90));
}

#[test]
fn a_network_that_was_there_at_boot_needs_no_notification() {
    let bed = bed!(Device::builder().network(NetworkPlan::connected_at_boot())).online();
    assert!(bed.device.now() < Duration::from_secs(1));
}

#[test]
fn a_lost_network_is_heard_of_and_so_is_its_return() {
    let plan = NetworkPlan::connected_after(Duration::from_secs(1))
        .then(Duration::from_mins(1), microvisor_sim::NetworkStatus::DisconnectedWithLinkUp)
        .then(Duration::from_secs(90), microvisor_sim::NetworkStatus::Connected);
    let mut bed = bed!(Device::builder().network(plan)).online();
    let network = bed.network.as_mut().unwrap();
    let lost = bed.device.block_on(network.changed_from(NetworkStatus::Connected)).unwrap();
    assert_eq!(lost, NetworkStatus::DisconnectedWithLinkUp);
    bed.device.block_on(network.connected()).unwrap();
    assert!(bed.device.now() >= Duration::from_secs(90));
}

#[test]
fn releasing_the_network_ends_the_request_for_it() {
    let mut bed = bed!(Device::builder()).online();
    let (reasons, requests) = network_reasons().unwrap();
    assert!(reasons.contains(NetworkReasons::USING_NETWORK));
    assert_eq!(requests, 1);
    bed.network.take().unwrap().release().unwrap();
    assert_eq!(network_reasons().unwrap().1, 0);
    assert_eq!(bed.device.call_count("mvReleaseNetwork"), 1);
}

#[test]
fn dropping_the_network_releases_it() {
    let mut bed = bed!(Device::builder()).online();
    drop(bed.network.take());
    assert_eq!(network_reasons().unwrap().1, 0);
}

#[test]
fn a_network_that_is_not_released_is_handed_back() {
    let mut bed = bed!(Device::builder()).online();
    bed.device.inject(Fault::call("mvReleaseNetwork").status(999));
    let HandedBack { error, value } = bed.network.take().unwrap().release().unwrap_err();
    assert_eq!(error, NetworkError::Kernel(Status::check(999).unwrap_err()));
    value.release().unwrap();
    assert_eq!(network_reasons().unwrap().1, 0);
}

#[test]
fn a_centre_serves_six_networks_and_says_so_to_the_seventh() {
    let bed = bed!(Device::builder());
    let networks: Vec<_> = (0..6).map(|_| Network::request(&bed.notifications).unwrap()).collect();
    assert_eq!(Network::request(&bed.notifications).unwrap_err(), NetworkError::TooManySources);
    drop(networks);
    drop(Network::request(&bed.notifications).unwrap());
}

#[test]
fn a_status_that_the_kernel_refuses_to_tell_is_an_error() {
    let bed = bed!(Device::builder()).online();
    bed.device.inject(Fault::call("mvGetNetworkStatus").status(999));
    assert_eq!(bed.network().status(), Err(NetworkError::Kernel(Status::check(999).unwrap_err())));
}
