package network

import (
	"fmt"
	"net"
	"strconv"
)

// Addr is the address of one end of a connection, or of a listener. It
// implements net.Addr.
type Addr struct {
	// Host is the name of the machine.
	Host string
	// Port is from 1 to 65,535.
	Port int
}

// Network implements net.Addr.
func (Addr) Network() string { return "tcp" }

// String returns "host:port".
func (a Addr) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

const (
	firstEphemeralPort = 32_768
	lastPort           = 65_535
)

// parseAddr reads "host:port"; host stands for an absent host.
func parseAddr(s, host string) (Addr, error) {
	name, port, err := net.SplitHostPort(s)
	if err != nil {
		return Addr{}, &net.AddrError{Err: "the simulated network wants host:port", Addr: s}
	}
	number, err := strconv.Atoi(port)
	if err != nil || number < 0 || number > lastPort {
		return Addr{}, &net.AddrError{Err: fmt.Sprintf("port %q is not a number from 0 to %d", port, lastPort), Addr: s}
	}
	if name == "" {
		name = host
	}
	return Addr{Host: name, Port: number}, nil
}
