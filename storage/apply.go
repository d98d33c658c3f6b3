package storage

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage/internal/window"
)

const (
	// applyPiece is how many mutations are applied under one hold of the lock:
	// some 50 µs, so that reads are not kept waiting.
	applyPiece = 64
	// The pause before a failed peek is repeated, doubling.
	minPeekPause = 10 * time.Millisecond
	maxPeekPause = time.Second
	// maxDiskFailures is how often in a row the log may answer that its disk
	// fails or is damaged until the server believes that it is so for good.
	maxDiskFailures = 8
	// stepsPerWindow is how many steps a full window is cut into at least.
	stepsPerWindow = 8
)

// endOfKeys is above every key that is stored.
const endOfKeys = wire.SystemPrefix + wire.SystemPrefix

// applyLoop follows the log until ctx ends.
func (s *Server) applyLoop(ctx context.Context) {
	var failures peekFailures
	for s.waitForSpace(ctx) {
		after := s.applied.load()
		reply, err := s.peek(ctx, after)
		if errors.Is(err, errIdle) && ctx.Err() == nil {
			s.settleIdle(after)
			continue
		}
		if err == nil && reply.Through <= after {
			err = wire.ErrInternal.With("log answered a peek after version %d with nothing new, through %d", after, reply.Through)
		}
		if err != nil {
			if !s.peekFailed(ctx, err, &failures) {
				return
			}
			continue
		}
		failures = peekFailures{}
		if err := s.applyReply(&reply); err != nil {
			s.fail(err)
			return
		}
	}
}

// errIdle ends a peek that has waited long enough for the window to be older
// than any transaction.
var errIdle = errors.New("nothing was committed for a while")

// peek asks the log for what follows after. While the window holds something
// it waits no longer than IdleAfter.
func (s *Server) peek(ctx context.Context, after wire.Version) (wire.PeekReply, error) {
	if s.idle.load() < after {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.cfg.IdleAfter, errIdle)
		defer cancel()
	}
	reply, err := s.cfg.Log.Peek(ctx, wire.PeekRequest{Tag: s.cfg.Tag, After: after, LimitBytes: s.peekBytes()})
	if err != nil && errors.Is(context.Cause(ctx), errIdle) {
		err = errIdle
	}
	return reply, err
}

// settleIdle lets the whole window move to the engine: versions stand still
// when nobody commits, so its age in versions says nothing, but transactions
// that began before it could still commit have ended long ago. A store that is
// left alone so gives its memory back, and is soon open again after a crash.
func (s *Server) settleIdle(version wire.Version) {
	if _, begin := s.mu.win.OpenStep(); version > begin {
		s.cutStep(version)
	}
	s.idle.store(version)
	wake(s.advanceSignal)
}

func (s *Server) peekBytes() int {
	if fault.Point("storage.peek.small") {
		return 1
	}
	return s.cfg.PeekBytes
}

// peekFailures counts the peeks in a row that failed, and those of them for
// which the log blames its disk.
type peekFailures struct {
	all, disk int
}

// peekFailed waits before the peek is repeated. It returns false if ctx ended,
// or if the log's disk has failed for good: waiting in silence for what will
// never come would look like a slow store.
func (s *Server) peekFailed(ctx context.Context, err error, failures *peekFailures) bool {
	if ctx.Err() != nil {
		return false
	}
	s.counters.peekErrors.Add(1)
	s.cfg.Logger.Warn("storage: peek failed", "tag", s.cfg.Tag, "error", err)
	if errors.Is(err, wire.ErrFileCorrupt) || errors.Is(err, wire.ErrIO) {
		failures.disk++
	}
	if failures.disk == maxDiskFailures {
		s.fail(err)
		return false
	}
	timer := time.NewTimer(min(minPeekPause<<failures.all, maxPeekPause))
	defer timer.Stop()
	failures.all = min(failures.all+1, 20)
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// waitForSpace waits until the window is below twice its limit (S7). It
// returns false if ctx ended.
func (s *Server) waitForSpace(ctx context.Context) bool {
	for ctx.Err() == nil {
		s.mu.RLock()
		over := s.mu.win.Bytes() > 2*s.cfg.WindowBytes && s.mu.win.Steps() > 0
		s.mu.RUnlock()
		if !over {
			return true
		}
		wake(s.advanceSignal)
		select {
		case <-s.spaceSignal:
		case <-ctx.Done():
		}
	}
	return false
}

// applyReply applies the versions of a peek and publishes each.
func (s *Server) applyReply(reply *wire.PeekReply) error {
	for i := range reply.Versions {
		v := &reply.Versions[i]
		if v.Version <= s.applied.load() || v.Version > reply.Through {
			return wire.ErrInternal.With("log sent version %d after %d, through %d", v.Version, s.applied.load(), reply.Through)
		}
		s.cutStepBefore(v.Version)
		if err := s.applyVersion(v); err != nil {
			return err
		}
		s.publish(v.Version)
		s.fireWatches(v)
		s.cutFullStep(v.Version)
	}
	if reply.Through > s.applied.load() {
		s.cutStepBefore(reply.Through)
		s.publish(reply.Through)
	}
	return nil
}

func (s *Server) publish(version wire.Version) {
	s.applied.store(version)
	s.waiting.wake(version)
	if version >= s.nextDue.load() {
		wake(s.advanceSignal)
	}
}

// applyVersion puts the mutations of one version into the window.
func (s *Server) applyVersion(v *wire.TaggedVersion) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, count, size := 0, uint64(0), uint64(0)
	for _, list := range v.Lists {
		mutations := wire.ReadMutations(list)
		for {
			m, ok, err := mutations.Next()
			if err != nil {
				return wire.ErrInternal.With("log: version %d of tag %d cannot be read", v.Version, s.cfg.Tag).Because(err)
			}
			if !ok {
				break
			}
			if held++; held > applyPiece {
				held = 0
				s.mu.Unlock()
				s.mu.Lock()
			}
			count++
			size += uint64(len(m.Param1) + len(m.Param2))
			if err := s.applyMutationLocked(m, v.Version); err != nil {
				return err
			}
		}
	}
	s.counters.mutations.Add(count)
	s.counters.writtenBytes.Add(size)
	s.windowBytes.Store(int64(s.mu.win.Bytes()))
	return nil
}

func (s *Server) applyMutationLocked(m wire.Mutation, version wire.Version) error {
	if err := checkMutation(m, version); err != nil {
		return err
	}
	switch m.Type {
	case wire.SetValue:
		s.mu.win.Set(m.Param1, m.Param2, version)
	case wire.ClearRange:
		end := m.Param2
		if string(end) > endOfKeys {
			end = []byte(endOfKeys)
		}
		s.mu.win.ClearRange(m.Param1, end, version)
	default:
		return s.applyAtomicLocked(m, version)
	}
	return nil
}

// checkMutation refuses what a commit proxy must never have let through.
func checkMutation(m wire.Mutation, version wire.Version) error {
	switch {
	case m.Type.IsVersionstamped():
		return wire.ErrInternal.With("log: version %d holds a versionstamped mutation without its stamp", version)
	case m.Type == wire.ClearRange:
		return nil
	case bytes.HasPrefix(m.Param1, []byte(endOfKeys)):
		return wire.ErrInternal.With("log: version %d writes key %.40q, which is above the key space", version, m.Param1)
	}
	return nil
}

// applyAtomicLocked evaluates an atomic mutation on the newest value of its
// key. It releases the lock while it reads the engine: nobody else adds to the
// window, and what the window did not know of the key it cannot forget.
func (s *Server) applyAtomicLocked(m wire.Mutation, version wire.Version) error {
	old, state := s.mu.win.Newest(m.Param1)
	present := state == window.Present
	if state == window.Unknown {
		s.mu.Unlock()
		var a arena
		var err error
		old, _, err = s.engine.getInto(m.Param1, &a, nil)
		s.mu.Lock()
		if err != nil {
			return err
		}
		present = old != nil
	}
	value, present := atomicop.Apply(m.Type, old, present, m.Param2)
	if present {
		s.mu.win.Set(m.Param1, value, version)
	} else {
		s.mu.win.Clear(m.Param1, version)
	}
	return nil
}

// cutStepBefore ends the window's open step if it would span too many versions
// with the next one. It ends at the version before, so that a long pause
// between the two does not keep older mutations in memory.
func (s *Server) cutStepBefore(next wire.Version) {
	if _, begin := s.mu.win.OpenStep(); next-begin > s.cfg.StepVersions && s.applied.load() > begin {
		s.cutStep(s.applied.load())
	}
}

// cutFullStep ends the window's open step at version if it holds enough bytes.
func (s *Server) cutFullStep(version wire.Version) {
	if size, _ := s.mu.win.OpenStep(); size >= s.cfg.WindowBytes/stepsPerWindow || fault.Point("storage.step.cutEarly") {
		s.cutStep(version)
	}
}

func (s *Server) cutStep(version wire.Version) {
	s.mu.Lock()
	s.mu.win.CutStep(version)
	s.mu.Unlock()
	wake(s.advanceSignal)
}
