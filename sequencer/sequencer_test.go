package sequencer

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
)

const role wire.RoleID = 7

func next(t *testing.T, s *Sequencer, proxy wire.RoleID, number uint64, applied wire.Version) wire.CommitVersionReply {
	t.Helper()
	reply, err := s.NextVersion(context.Background(), wire.CommitVersionRequest{Role: role, Proxy: proxy, Number: number, Applied: applied})
	if err != nil {
		t.Fatalf("request %d of proxy %d: %v", number, proxy, err)
	}
	return reply
}

func TestRepeatedRequestGetsTheSameAnswer(t *testing.T) {
	s := New(Config{Role: role, Floor: 10})
	defer s.Close()
	first := next(t, s, 1, 1, 0)
	if again := next(t, s, 1, 1, 0); again.Version != first.Version || again.Prev != first.Prev {
		t.Errorf("S4: repeat gives %+v, first was %+v", again, first)
	}
	other := next(t, s, 2, 1, 0)
	if other.Prev != first.Version {
		t.Errorf("S1: the next version follows %d, want %d", other.Prev, first.Version)
	}
	if second := next(t, s, 1, 2, 0); second.Prev != other.Version {
		t.Errorf("S1: the next version follows %d, want %d", second.Prev, other.Version)
	}
	for _, c := range []struct {
		proxy  wire.RoleID
		number uint64
	}{{1, 0}, {1, 1}, {1, 5}, {3, 0}, {3, 2}} {
		_, err := s.NextVersion(context.Background(), wire.CommitVersionRequest{Role: role, Proxy: c.proxy, Number: c.number})
		if !errors.Is(err, wire.ErrStaleRole) {
			t.Errorf("request %d of proxy %d out of turn: %v, want stale_role", c.number, c.proxy, err)
		}
	}
}

// What a read-version proxy is told covers every commit reported before, in
// whatever order reports arrive.
func TestTheCommittedVersionIsTheHighestReported(t *testing.T) {
	s := New(Config{Role: role, Floor: 10})
	defer s.Close()
	ctx := context.Background()
	first, second := next(t, s, 1, 1, 0).Version, next(t, s, 2, 1, 0).Version
	third := next(t, s, 1, 2, 0).Version
	for _, step := range []struct{ report, want wire.Version }{{10, 10}, {second, second}, {first, second}, {third, third}} {
		if err := s.ReportCommitted(ctx, role, step.report); err != nil {
			t.Fatal(err)
		}
		if got, err := s.CommittedVersion(ctx, role); err != nil || got != step.want {
			t.Errorf("after the report of %d: %d is committed (%v), want %d", step.report, got, err, step.want)
		}
		if err := s.WaitCommitted(ctx, step.want); err != nil {
			t.Error(err)
		}
	}
}

func TestCallsForAnotherRecruitmentAreRefused(t *testing.T) {
	s := New(Config{Role: role})
	defer s.Close()
	ctx := context.Background()
	_, err1 := s.NextVersion(ctx, wire.CommitVersionRequest{Role: role + 1, Proxy: 1, Number: 1})
	_, err2 := s.CommittedVersion(ctx, role+1)
	err3 := s.ReportCommitted(ctx, role+1, 1)
	_, err4 := s.Change(ctx, ChangeRequest{Role: role + 1})
	for i, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, wire.ErrStaleRole) {
			t.Errorf("call %d: %v, want stale_role", i, err)
		}
	}
}

func TestTooManyVersionsInFlightWaitForACommit(t *testing.T) {
	s := New(Config{Role: role})
	defer s.Close()
	// Hand out versions without commits until the window is full.
	var last wire.Version
	number := uint64(0)
	s.mu.allocator.last = wire.WindowVersions - 3
	for s.mu.allocator.last < wire.WindowVersions {
		number++
		last = next(t, s, 1, number, 0).Version
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.NextVersion(ctx, wire.CommitVersionRequest{Role: role, Proxy: 1, Number: number + 1})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("S3: with %d versions in flight: %v, want to wait until the context ends", last, err)
	}
	answered := make(chan wire.CommitVersionReply)
	go func() { answered <- next(t, s, 1, number+1, 0) }()
	if err := s.ReportCommitted(context.Background(), role, last); err != nil {
		t.Fatal(err)
	}
	if reply := <-answered; reply.Prev != last {
		t.Errorf("after the commit the next version follows %d, want %d", reply.Prev, last)
	}
}

func TestCloseWakesThoseWhoWait(t *testing.T) {
	s := New(Config{Role: role})
	s.mu.allocator.last = wire.WindowVersions
	failed := make(chan error)
	go func() {
		_, err := s.NextVersion(context.Background(), wire.CommitVersionRequest{Role: role, Proxy: 1, Number: 1})
		failed <- err
	}()
	go func() { failed <- s.WaitCommitted(context.Background(), 1) }()
	s.Close()
	for range 2 {
		if err := <-failed; !errors.Is(err, wire.ErrGenerationEnded) {
			t.Errorf("after close: %v, want generation_ended", err)
		}
	}
}

// Every proxy is given a metadata change no later than with its first version
// that is not below the change's (S5), each once.
func TestMetadataReachesEveryProxyInTime(t *testing.T) {
	var wanted sync.WaitGroup
	wanted.Add(1)
	s := New(Config{Role: role, RequestEmptyBatch: wanted.Done})
	defer s.Close()
	before := next(t, s, 1, 1, 0)

	committed := make(chan wire.Version)
	go func() {
		v, err := s.Change(context.Background(), ChangeRequest{Role: role, Term: 3, Mutations: []byte("change")})
		if err != nil {
			t.Error(err)
		}
		committed <- v
	}()
	wanted.Wait() // the sequencer asks for an empty batch, since nobody may come by
	carrier := next(t, s, 2, 1, 0)
	if len(carrier.Metadata) != 1 || carrier.Metadata[0].Version != carrier.Version || string(carrier.Metadata[0].Mutations) != "change" {
		t.Fatalf("the next version carries %+v", carrier.Metadata)
	}
	later := next(t, s, 1, 2, before.Version)
	if len(later.Metadata) != 1 || later.Metadata[0].Version != carrier.Version {
		t.Errorf("S5: the other proxy's next version carries %+v", later.Metadata)
	}
	if again := next(t, s, 1, 3, later.Version); len(again.Metadata) != 0 {
		t.Errorf("S5: a proxy that applied the change is given %+v", again.Metadata)
	}
	if err := s.ReportCommitted(context.Background(), role, later.Version); err != nil {
		t.Fatal(err)
	}
	if v := <-committed; v != carrier.Version {
		t.Errorf("change is bound to %d, want %d", v, carrier.Version)
	}
}

func TestMetadataChangesAreFenced(t *testing.T) {
	s := New(Config{Role: role, MapVersion: 5})
	defer s.Close()
	if _, err := s.acceptChange(ChangeRequest{Role: role, Term: 2, ExpectedMapVersion: 4}); !errors.Is(err, wire.ErrClientInvalidOperation) {
		t.Errorf("S6: change on an old map: %v", err)
	}
	if _, err := s.acceptChange(ChangeRequest{Role: role, Term: 2, ExpectedMapVersion: 5}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.acceptChange(ChangeRequest{Role: role, Term: 1, ExpectedMapVersion: 5}); !errors.Is(err, wire.ErrStaleRole) {
		t.Errorf("S6: change by an older controller: %v", err)
	}
	if _, err := s.acceptChange(ChangeRequest{Role: role, Term: 2, ExpectedMapVersion: 5}); !errors.Is(err, wire.ErrClientInvalidOperation) {
		t.Errorf("S6: second change while one waits: %v", err)
	}
}

// Refused requests were remembered, and proxies without limit.
func TestProxiesAreBounded(t *testing.T) {
	s := New(Config{Role: role})
	defer s.Close()
	ctx := context.Background()
	for proxy := range wire.RoleID(maxProxies) {
		_, err := s.NextVersion(ctx, wire.CommitVersionRequest{Role: role, Proxy: proxy, Number: 7})
		if !errors.Is(err, wire.ErrStaleRole) || len(s.mu.proxies) != int(proxy) {
			t.Fatalf("a refused request: %v, %d proxies are remembered", err, len(s.mu.proxies))
		}
		next(t, s, proxy, 1, 0)
	}
	_, err := s.NextVersion(ctx, wire.CommitVersionRequest{Role: role, Proxy: maxProxies, Number: 1})
	if !errors.Is(err, wire.ErrStaleRole) {
		t.Errorf("one proxy too many: %v", err)
	}
	next(t, s, 0, 2, 0)
}
