package wire

import "math"

// Version orders everything in the store. It advances by about 1,000,000 a
// second and never repeats or goes back. The zero Version is the empty store.
type Version int64

const (
	// MaxVersion is greater than any version ever handed out.
	MaxVersion Version = math.MaxInt64

	// VersionsPerSecond is how fast versions advance while a store is in use.
	VersionsPerSecond = 1_000_000

	// WindowVersions is how many versions back a transaction may read and
	// still commit: five seconds, as FoundationDB's
	// MAX_WRITE_TRANSACTION_LIFE_VERSIONS.
	WindowVersions Version = 5_000_000

	// MaxVersionStep caps how far one commit version may be from the one
	// before it, so that an idle time does not push live transactions out of
	// the window.
	MaxVersionStep Version = 1_000_000

	// RecoveryVersionStep separates the versions of two generations. It is far
	// more than what an old sequencer can still hand out, because versions in
	// flight never exceed the committed version by more than WindowVersions.
	RecoveryVersionStep Version = 100_000_000
)

// Generation numbers one reign of sequencer, proxies and resolvers.
type Generation uint64

// Tag names the stream of mutations that is addressed to one storage server.
type Tag uint32

// RoleID names one recruitment of one role. It is drawn at random, so a role
// that was restarted is another role: calls that carry the old id are refused.
type RoleID uint64
