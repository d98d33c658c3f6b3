package wire

// Priority orders requests for read versions under overload (see the
// architecture, §11). The zero value is the default.
type Priority uint8

// The priorities.
const (
	PriorityDefault   Priority = iota // ordinary transactions
	PriorityBatch                     // work that gives way to everything else
	PriorityImmediate                 // system work, whose start no load holds back
)

// ReadVersionRequest asks a read-version proxy for a version at which every
// transaction that was acknowledged before the request can be seen.
type ReadVersionRequest struct {
	Priority Priority
	// Tags name the groups that the transaction belongs to, for throttling.
	Tags []string
}
