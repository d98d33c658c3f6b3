package txlog

import (
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// machine is the Server as the replicated state machine sees it.
type machine Server

// Apply implements raftgroup.StateMachine: one committed entry, one definite
// answer.
func (m *machine) Apply(index uint64, data []byte) (result any, err error) {
	c, err := decodeCommand(data)
	if err != nil {
		return nil, wire.ErrFileCorrupt.Because(err)
	}
	tags, err := tagsOf(c.body)
	if err != nil {
		return nil, wire.ErrFileCorrupt.Because(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	result, err = c.apply(m.mu.core, index, tags)
	m.noteLocked()
	return result, err
}

// apply applies the command that stands at a Raft index; tags are those in its
// body. The replicas and the checker of a closed log have this in common, so
// that the checker cannot see another history than a replica would.
func (c command) apply(core *Core, index uint64, tags []wire.Tag) (result any, err error) {
	switch c.kind {
	case commandAppend:
		err = core.Append(index, &wire.AppendRequest{
			Generation: c.generation, Prev: c.prev, Version: c.version, KnownCommitted: c.knownCommitted,
		}, tags)
		if err == nil {
			// With one log group a batch that is applied is committed everywhere.
			core.LearnCommitted(c.generation, c.version)
		}
	case commandLock:
		result, err = core.Lock(index, c.generation)
	case commandBegin:
		err = core.Begin(index, c.generation, c.prev, c.version)
	case commandPop:
		core.Pop(c.tag, c.version)
	}
	return result, err
}

// Restore implements raftgroup.StateMachine. The log of a new group begins
// with an empty snapshot.
func (m *machine) Restore(snapshot []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(snapshot) == 0 {
		return nil
	}
	err := m.mu.core.Restore(snapshot)
	m.noteLocked()
	return err
}

// noteLocked tells those who wait what has changed.
func (m *machine) noteLocked() {
	live := wire.Generation(0)
	if m.mu.core.Live(m.mu.core.Locked()) {
		live = m.mu.core.Locked()
	}
	m.live.Store(uint64(live))
	if m.mu.advanced != nil {
		close(m.mu.advanced)
		m.mu.advanced = nil
	}
}

// tagsOf returns the tags in a batch's body, without repeats.
func tagsOf(body []byte) ([]wire.Tag, error) {
	var all []wire.Tag
	runs := wire.ReadRuns(body)
	for {
		tags, _, ok, err := runs.Next()
		if err != nil || !ok {
			return all, err
		}
		for _, tag := range tags {
			if !slices.Contains(all, tag) {
				all = append(all, tag)
			}
		}
	}
}
