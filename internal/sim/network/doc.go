// Package network is the network between simulated machines. It gives a
// process what the operating system would: Dial and Listen that return
// net.Conn, so that gRPC or any other protocol runs over it unchanged, also on
// wasm, where there are no sockets.
//
//	n := network.New(network.Draw(rng), rng, trace)
//	defer n.Close()
//	node := n.NewNode("s1")                  // a process starts on machine s1
//	listener, err := node.Listen(":80")
//	conn, err := other.Dial(ctx, "s1:80")    // fits grpc.WithContextDialer
//	cut := n.Cut([]string{"s1"}, nil, network.BothWays)
//	cut.Heal()
//
// A Node is one life of a process. Kill ends it while its machine lives on,
// whose kernel then resets the connections; PowerLoss ends all processes of a
// machine, and nobody tells their peers.
//
// Each connection behaves like TCP as a program sees it: bounded buffers on
// both sides and a window, so that Write blocks when the reader is slow;
// deadlines, half-closing, resets; dialling that retries while nobody answers;
// probes (keepalive) that find a dead peer. Below it, each ordered pair of
// machines has a Link with a latency, a bandwidth that all its connections
// share, and faults. DESIGN.md says what is simulated how, and what is not.
//
// Invariants:
//
//	N1  What Read returns is a prefix of what the other side wrote, unaltered
//	    and in order; io.EOF comes after all of it and only if the other side
//	    closed. All that a side wrote before it closed arrives if the
//	    connection is not broken.
//	N2  What a process had not put on the wire when it died never arrives.
//	    After the reset of a connection no byte of it arrives, and a process
//	    never gets a byte of a connection of an earlier one.
//	N3  Within HealBound after all faults are healed, what was held up has
//	    arrived, except for what must wait for a reader.
//	N4  Buffers hold at most what the Config says; Write blocks beyond it, and
//	    goes on when the reader has read.
//	N5  Read, Write and SetDeadline behave as net.Conn demands: an expired
//	    deadline fails with os.ErrDeadlineExceeded, without effect on other
//	    directions, and a later one makes the connection usable again.
//	N6  A side that sends on a broken connection notices within DeadAfter that
//	    nobody acknowledges it, if no reset comes first. A side that only reads
//	    does so within KeepAlive and DeadAfter, and without a keepalive never.
//	N7  All of a dead process's operations fail with ErrDead, at once.
//	N8  After Close every operation fails with net.ErrClosed and no goroutine
//	    or timer of the network is left.
//	N9  All chance comes from the generator that the network was made with,
//	    all time from package time. Every message is traced when it arrives or
//	    is lost, with its direction, its place in the stream and a checksum.
//	N10 An end of a connection that its program has closed, or whose process
//	    has died, is forgotten, at the latest DeadAfter later.
package network
