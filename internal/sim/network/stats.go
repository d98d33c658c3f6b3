package network

// Stats counts what a network did. Messages are parts of streams and what
// manages connections.
type Stats struct {
	// Connections counts those that a listener took.
	Connections uint64
	// Sent, Arrived and Lost count messages.
	Sent, Arrived, Lost uint64
	// BytesSent and BytesArrived count the data in them.
	BytesSent, BytesArrived uint64
	// Endpoints is the number of ends of connections that exist, Held the
	// number of messages that wait for the end of a fault.
	Endpoints, Held int
}
