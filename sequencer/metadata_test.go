package sequencer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

// bindChange has a change accepted and bound to the next version of a proxy of
// its own, and returns that version.
func bindChange(t *testing.T, s *Sequencer, number uint64, mutations string) wire.Version {
	t.Helper()
	s.mu.Lock()
	mapVersion := s.mu.metadata.mapVersion()
	s.mu.Unlock()
	if _, err := s.acceptChange(ChangeRequest{Role: role, ExpectedMapVersion: mapVersion, Mutations: []byte(mutations)}); err != nil {
		t.Fatal(err)
	}
	reply := next(t, s, 99, number, mapVersion)
	if err := s.ReportCommitted(context.Background(), role, reply.Version); err != nil {
		t.Fatal(err)
	}
	return reply.Version
}

// A metadata change is acknowledged when its version is committed, not before.
func TestAChangeIsAcknowledgedWhenItIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Role: role})
		defer s.Close()
		acknowledged := make(chan error, 1)
		go func() {
			_, err := s.Change(context.Background(), ChangeRequest{Role: role})
			acknowledged <- err
		}()
		synctest.Wait()
		version := next(t, s, 1, 1, 0).Version
		synctest.Wait()
		select {
		case err := <-acknowledged:
			t.Fatalf("acknowledged before version %d was committed: %v", version, err)
		default:
		}
		if err := s.ReportCommitted(context.Background(), role, version); err != nil {
			t.Fatal(err)
		}
		if err := <-acknowledged; err != nil {
			t.Error(err)
		}
	})
}

// S5: a proxy that was away for longer than changes are kept could not route
// correctly any more. One that has missed nothing goes on.
func TestAProxyThatHasMissedChangesIsRefused(t *testing.T) {
	s := New(Config{Role: role, MapVersion: 3})
	defer s.Close()
	_, err := s.NextVersion(context.Background(), wire.CommitVersionRequest{Role: role, Proxy: 1, Number: 1, Applied: 2})
	if !errors.Is(err, wire.ErrStaleRole) {
		t.Errorf("S5: a proxy whose map is older than the sequencer's: %v", err)
	}
	first := bindChange(t, s, 1, "first")
	for i := range uint64(maxMetadataHistory) {
		bindChange(t, s, i+2, "more")
	}
	_, err = s.NextVersion(context.Background(), wire.CommitVersionRequest{Role: role, Proxy: 1, Number: 1, Applied: first - 1})
	if !errors.Is(err, wire.ErrStaleRole) {
		t.Errorf("S5: a proxy that has missed a change which is not kept: %v", err)
	}
	if reply := next(t, s, 1, 1, first); len(reply.Metadata) != maxMetadataHistory {
		t.Errorf("S5: a proxy that has missed all others is given %d of %d", len(reply.Metadata), maxMetadataHistory)
	}
}

// Several proxies ask in any order, now and then twice, while changes are made.
// By its version each of them has been given exactly the changes up to there.
func TestEveryProxyIsGivenEveryChangeOnceAndInTime(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := New(Config{Role: role})
		defer s.Close()
		type proxy struct {
			number  uint64
			applied wire.Version
			given   []string
		}
		proxies := make([]proxy, 3)
		var changes []wire.MetadataChange
		waiting := ""
		for step := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			if waiting == "" && rapid.IntRange(0, 2).Draw(rt, "change") == 0 {
				waiting = fmt.Sprint("change ", step)
				mapVersion := wire.Version(0)
				if n := len(changes); n > 0 {
					mapVersion = changes[n-1].Version
				}
				if _, err := s.acceptChange(ChangeRequest{Role: role, ExpectedMapVersion: mapVersion, Mutations: []byte(waiting)}); err != nil {
					rt.Fatal(err)
				}
			}
			i := rapid.IntRange(0, len(proxies)-1).Draw(rt, "proxy")
			p := &proxies[i]
			p.number++
			var reply wire.CommitVersionReply
			for range rapid.IntRange(1, 2).Draw(rt, "times") { // the answer may be lost
				reply = next(t, s, wire.RoleID(i+1), p.number, p.applied)
			}
			if waiting != "" {
				changes = append(changes, wire.MetadataChange{Version: reply.Version, Mutations: []byte(waiting)})
				waiting = ""
			}
			for _, c := range reply.Metadata {
				p.given = append(p.given, fmt.Sprint(c.Version, " ", string(c.Mutations)))
			}
			p.applied = reply.Version
			var want []string
			for _, c := range changes {
				want = append(want, fmt.Sprint(c.Version, " ", string(c.Mutations)))
			}
			if fmt.Sprint(p.given) != fmt.Sprint(want) {
				rt.Fatalf("S5: proxy %d at version %d was given %q, want %q", i, reply.Version, p.given, want)
			}
			if err := s.ReportCommitted(context.Background(), role, reply.Version); err != nil {
				rt.Fatal(err)
			}
		}
	})
}
