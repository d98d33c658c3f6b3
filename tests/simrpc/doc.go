// Package simrpc runs real gRPC over the simulated network: the echo service of
// internal/sim/scenario with grpc-go as its transport, natively and on wasm. It
// shows that the network is good enough for the cluster's transport before
// there is one. Its tests also hold the network against the conformance tests
// for net.Conn of golang.org/x/net/nettest.
//
// It is a module of its own because the product does not need gRPC yet. When
// internal/transport does, this becomes a package of the main module.
package simrpc
