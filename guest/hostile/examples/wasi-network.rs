//! Tries the network.

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};
use sockets::wasi::sockets::instance_network::instance_network;
use sockets::wasi::sockets::ip_name_lookup::resolve_addresses;
use sockets::wasi::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use sockets::wasi::sockets::tcp_create_socket::create_tcp_socket;

/// As much of wasi:sockets as it takes to try. The standard library has it as well, but not every C library below it.
mod sockets {
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
    wit_bindgen::generate!({
        inline: "
            package hostile:network;

            world reaching {
                import wasi:sockets/instance-network@0.2.0;
                import wasi:sockets/ip-name-lookup@0.2.0;
                import wasi:sockets/tcp-create-socket@0.2.0;
            }

            package wasi:sockets@0.2.0 {
                interface network {
                    resource network;
                    enum error-code {
                        unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout,
                        concurrency-conflict, not-in-progress, would-block, invalid-state, new-socket-limit,
                        address-not-bindable, address-in-use, remote-unreachable, connection-refused, connection-reset,
                        connection-aborted, datagram-too-large, name-unresolvable, temporary-resolver-failure,
                        permanent-resolver-failure,
                    }
                    enum ip-address-family { ipv4, ipv6 }
                    type ipv4-address = tuple<u8, u8, u8, u8>;
                    type ipv6-address = tuple<u16, u16, u16, u16, u16, u16, u16, u16>;
                    record ipv4-socket-address { port: u16, address: ipv4-address }
                    record ipv6-socket-address { port: u16, flow-info: u32, address: ipv6-address, scope-id: u32 }
                    variant ip-socket-address { ipv4(ipv4-socket-address), ipv6(ipv6-socket-address) }
                }
                interface instance-network {
                    use network.{network};
                    instance-network: func() -> network;
                }
                interface ip-name-lookup {
                    use network.{network, error-code};
                    resource resolve-address-stream;
                    resolve-addresses: func(network: borrow<network>, name: string)
                        -> result<resolve-address-stream, error-code>;
                }
                interface tcp {
                    use network.{network, error-code, ip-socket-address};
                    resource tcp-socket {
                        start-connect: func(network: borrow<network>, remote-address: ip-socket-address)
                            -> result<_, error-code>;
                    }
                }
                interface tcp-create-socket {
                    use network.{error-code, ip-address-family};
                    use tcp.{tcp-socket};
                    create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>;
                }
            }",
        generate_all,
    });
}

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
        pool.assign(tasks)
    }
}

hostile!(Hostile);
