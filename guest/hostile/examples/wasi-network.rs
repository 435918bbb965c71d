//! Tries the network.

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};
// The standard library has the network as well, but not every C library below it.
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

/// Gives up where it reaches anybody.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let network = instance_network();
        assert!(resolve_addresses(&network, "localhost").is_err(), "a name was looked up");
        let local = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 80, address: (127, 0, 0, 1) });
        let connected =
            create_tcp_socket(IpAddressFamily::Ipv4).and_then(|socket| socket.start_connect(&network, local));
        assert!(connected.is_err(), "a connection was begun");
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
