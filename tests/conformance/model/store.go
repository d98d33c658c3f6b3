package model

import (
	"cmp"
	"maps"
	"slices"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// Dialect is where clients differ.
type Dialect struct {
	// InvertedRangeFails: a range read that begins after its end is error 2005,
	// and not empty.
	InvertedRangeFails bool
	// InvertedConflictFails: adding an inverted conflict range is error 2005 at
	// once, and not of the next read or the commit.
	InvertedConflictFails bool
	// NoCommitVersion: the committed version of a transaction that has none is
	// error 2021, and not -1.
	NoCommitVersion bool
	// OnErrorCancels: after OnError with an error that is not retryable the
	// transaction is cancelled until it is reset, and not as it was.
	OnErrorCancels bool
	// OnErrorResets: it is reset then.
	OnErrorResets bool
	// UnknownOutcomeSticks: once OnError got an error that leaves open whether the
	// transaction was committed, it does not forget that over transaction_cancelled,
	// but returns commit_unknown_result.
	UnknownOutcomeSticks bool
	// OwnWritesDeclared: a declared read conflict covers keys that own writes
	// determine as well.
	OwnWritesDeclared bool
	// CommitOutlivesCancel: a cancel after a successful commit changes nothing
	// until the next reset, or OnError with an error that is retryable.
	CommitOutlivesCancel bool
	// LongKeysFail: reading, clearing or declaring a conflict on a key that is
	// too long is error 2102, and not the same as with any key that is absent.
	LongKeysFail bool
	// ResetRevives: a reset makes a cancelled transaction usable.
	ResetRevives bool
	// RowsConflictUntilError: a range read row by row that comes to an error
	// depends on the rows before it, and not on those of earlier batches alone, of
	// which programs have none.
	RowsConflictUntilError bool
	// CommitKeepsReadVersion: a transaction that has read tells its read version
	// after the commit too; CommitForgetsReadVersion: it gets a new one then.
	CommitKeepsReadVersion, CommitForgetsReadVersion bool
	// CommitResets: a commit, successful or not, resets its transaction.
	CommitResets bool
	// SnapshotsSkipOwnWrites: reads of a snapshot see what is stored.
	SnapshotsSkipOwnWrites bool
	// AbsentIsZeros: AND and MIN take an absent key for zeros.
	AbsentIsZeros bool
	// ShortStampPlace: the place of a stamp is two bytes, and in a value always
	// its beginning.
	ShortStampPlace bool
}

const (
	// firstVersion is that of the empty store, unless stamps were given.
	firstVersion = 1000
	versionStep  = 10
)

// Store is a store in memory. It belongs to one goroutine.
type Store struct {
	dialect Dialect
	// stamps are those of the commits to come.
	stamps []wire.Stamp
	// states are the contents by version, commits what was written.
	states  []state
	commits []commit
	tuples  Tuples
	// allocated is the last number given to a directory.
	allocated int64
}

type state struct {
	version int64
	values  map[string]string
}

type commit struct {
	version int64
	writes  []oracle.Span
}

// New returns an empty store. The commits to come get the given stamps, in
// their order; those beyond get made-up ones.
func New(dialect Dialect, stamps []wire.Stamp) *Store {
	version := int64(firstVersion)
	if len(stamps) > 0 {
		version = stampVersion(stamps[0]) - 1
	}
	return &Store{dialect: dialect, stamps: stamps, tuples: Tuples{shortPlace: dialect.ShortStampPlace}, states: []state{{version: version, values: map[string]string{}}}}
}

// stampVersion returns the version of a stamp's commit.
func stampVersion(s wire.Stamp) (version int64) {
	for _, b := range s[:8] {
		version = version<<8 | int64(b)
	}
	return version
}

// Rows returns all rows.
func (s *Store) Rows() map[string]string { return maps.Clone(s.last().values) }

func (s *Store) last() *state { return &s.states[len(s.states)-1] }

// at returns the content at a version.
func (s *Store) at(version int64) *state {
	i, found := slices.BinarySearchFunc(s.states, version, func(x state, v int64) int { return cmp.Compare(x.version, v) })
	if found {
		return &s.states[i]
	}
	return &s.states[max(0, i-1)]
}

// nextStamp returns the stamp of the next commit.
func (s *Store) nextStamp() (wire.Stamp, int64) {
	if len(s.stamps) > 0 {
		stamp := s.stamps[0]
		s.stamps = s.stamps[1:]
		if v := stampVersion(stamp); v >= s.last().version {
			return stamp, v
		}
	}
	v := s.last().version + versionStep
	return wire.MakeStamp(wire.Version(v), 0), v
}

// writtenSince reports whether a commit after version wrote in one of the
// spans.
func (s *Store) writtenSince(version int64, spans []oracle.Span) bool {
	for _, c := range slices.Backward(s.commits) {
		if c.version <= version {
			return false
		}
		for _, w := range c.writes {
			if slices.ContainsFunc(spans, func(r oracle.Span) bool { return r.Begin < w.End && w.Begin < r.End }) {
				return true
			}
		}
	}
	return false
}

// RunsSequentially implements machine.Sequential.
func (s *Store) RunsSequentially() {}

// Begin implements machine.Client.
func (s *Store) Begin() (machine.Transaction, error) { return &transaction{store: s}, nil }

// Update implements machine.Client. Nothing runs at the same time, so there is
// nothing to retry.
func (s *Store) Update(f func(machine.Transaction) error) error {
	t := &transaction{store: s}
	if err := f(t); err != nil {
		return err
	}
	return t.commit()
}

// Read implements machine.Client.
func (s *Store) Read(f func(machine.Reader) error) error {
	return f((&transaction{store: s}).Snapshot())
}

// UnitTests implements machine.Client: a model has no options.
func (s *Store) UnitTests() error { return nil }

// Tuples implements machine.Client.
func (s *Store) Tuples() machine.Tuples { return s.tuples }

var _ machine.Sequential = (*Store)(nil)
