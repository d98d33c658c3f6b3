// Package wire holds the plain Go types that cross roles: versions, key
// ranges, mutations, the requests and replies of sequencer, resolver, log and
// storage, and the numbered errors that every role returns.
//
// The package has no I/O, no goroutine and no dependency outside the standard
// library. A role in the same process receives these values by a function
// call; one elsewhere receives the same values through internal/transport.
// The caller cannot tell.
//
// Byte slices in these types are shared, never copied, on their way from role
// to role. Hence two rules that every producer and consumer keeps:
//
//	W1  A slice that was put into a request or reply is never written again.
//	W2  A mutation list (see Mutations) is opaque to everyone except its
//	    writer, the commit proxy that fills in versionstamps before anybody
//	    else sees the bytes, and its readers, who may keep sub-slices of it.
package wire
