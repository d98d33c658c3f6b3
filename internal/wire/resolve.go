package wire

// Verdict is a resolver's answer on one transaction. When several resolvers
// share the key space the greatest of their verdicts holds.
type Verdict uint8

// The verdicts, best first.
const (
	Committed Verdict = iota // no conflict in the resolver's key range
	Conflict                 // something it read was written since: 1020
	TooOld                   // its read version is below the window: 1007
)

// ResolveTransaction is what a resolver needs to know of one transaction.
type ResolveTransaction struct {
	ReadVersion    Version
	ReadConflicts  []KeyRange
	WriteConflicts []KeyRange
	// ReportConflicts asks for the read ranges that conflicted, in
	// ResolveReply.Conflicting.
	ReportConflicts bool
}

// ResolveRequest is one batch of transactions, in order, at one version.
type ResolveRequest struct {
	Role RoleID
	// Proxy is the asking proxy, so that what it acknowledges does not make
	// the resolver forget its answers to another one.
	Proxy RoleID
	// Prev is the version before Version: the resolver decides the batches in
	// this order, whatever order they arrive in.
	Prev, Version Version
	// Acknowledged is a version whose reply, and every earlier one to this
	// proxy, the proxy has received: remembered answers up to there may be forgotten.
	Acknowledged Version
	Transactions []ResolveTransaction
}

// ResolveReply holds one verdict per transaction.
type ResolveReply struct {
	Verdicts []Verdict
	// Conflicting[i] holds the indexes into transaction i's ReadConflicts that
	// conflicted; nil unless asked for. Conflicting itself may be nil.
	Conflicting [][]int
}
