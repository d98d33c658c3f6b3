package network

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestDiallingIsRefusedOnlyByALivingMachine(t *testing.T) {
	onNetwork(t, Config{DialLimit: 5 * time.Second}, func(h *harness) {
		began := time.Now()
		if _, err := h.client.Dial(h.Context(), "s:81"); !errors.Is(err, syscall.ECONNREFUSED) {
			h.Errorf("nobody listens: %v", err)
		}
		h.wantTime(began, 0, time.Second)
		if _, err := h.client.Dial(h.Context(), "nowhere:80"); !errors.Is(err, syscall.ETIMEDOUT) {
			h.Errorf("no such machine: %v", err)
		}
		h.wantTime(began, 5*time.Second, 7*time.Second)
		ctx, cancel := context.WithTimeout(h.Context(), time.Second)
		defer cancel()
		if _, err := h.client.Dial(ctx, "nowhere:80"); !errors.Is(err, context.DeadlineExceeded) {
			h.Errorf("dialling with a deadline: %v", err)
		}
		if n := h.Stats().Endpoints; n != 0 {
			h.Errorf("N10: %d ends are left", n)
		}
	})
}

func TestAddressesAreChecked(t *testing.T) {
	onNetwork(t, Config{}, func(h *harness) {
		for _, address := range []string{"s", "s:x", "s:70000", ""} {
			if _, err := h.client.Dial(h.Context(), address); err == nil || !strings.Contains(err.Error(), "port") {
				h.Errorf("dialling %q: %v", address, err)
			}
		}
		if _, err := h.server.Listen("s:80"); !errors.Is(err, syscall.EADDRINUSE) {
			h.Errorf("listening twice: %v", err)
		}
		if _, err := h.server.Listen("c:80"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			h.Errorf("listening elsewhere: %v", err)
		}
	})
}

func TestAFullBacklogIsServedLater(t *testing.T) {
	onNetwork(t, Config{Backlog: 1}, func(h *harness) {
		var work sync.WaitGroup
		for range 3 {
			work.Go(func() {
				if _, err := h.client.Dial(h.Context(), "s:80"); err != nil {
					h.Errorf("dial: %v", err)
				}
			})
		}
		for range 3 {
			h.wait(time.Second)
			if _, err := h.listener.Accept(); err != nil {
				h.Error(err)
			}
		}
		work.Wait()
	})
}

func TestTheNumberOfConnectionsIsBounded(t *testing.T) {
	onNetwork(t, Config{MaxConns: 2}, func(h *harness) {
		h.pair()
		if _, err := h.client.Dial(h.Context(), "s:80"); !errors.Is(err, syscall.EMFILE) {
			h.Errorf("dial: %v", err)
		}
	})
}

func TestAKilledProcessIsResetByItsMachine(t *testing.T) {
	onNetwork(t, Config{LatencyLow: time.Millisecond, LatencyHigh: time.Millisecond}, func(h *harness) {
		c, s := h.pair()
		accepted := make(chan error, 1)
		go func() {
			_, err := h.listener.Accept()
			accepted <- err
		}()
		synctest.Wait()
		began := time.Now()
		h.server.Kill()
		if err := <-accepted; !errors.Is(err, ErrDead) {
			h.Errorf("N7: accept: %v", err)
		}
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, ErrDead) {
			h.Errorf("N7: read: %v", err)
		}
		if _, err := s.Write(make([]byte, 1)); !errors.Is(err, ErrDead) {
			h.Errorf("N7: write: %v", err)
		}
		if _, err := h.server.Dial(h.Context(), "c:1"); !errors.Is(err, ErrDead) {
			h.Errorf("N7: dial: %v", err)
		}
		h.wantError(c, syscall.ECONNRESET)
		h.wantTime(began, 500*time.Microsecond, 10*time.Millisecond)
		if _, err := h.client.Dial(h.Context(), "s:80"); !errors.Is(err, syscall.ECONNREFUSED) {
			h.Errorf("dialling the dead: %v", err)
		}
		h.server = h.NewNode("s")
		h.listener = h.listen(h.server, ":80")
		c, s = h.pair()
		h.mustWrite(s, "a new life")
		h.mustRead(c, "a new life")
	})
}

func TestALossOfPowerIsSilent(t *testing.T) {
	onNetwork(t, Config{DeadAfter: 10 * time.Second, DialLimit: time.Second}, func(h *harness) {
		reader, _ := h.pair()
		writer, _ := h.pair()
		h.PowerLoss("s")
		h.mustWrite(writer, "into the void")
		if _, err := h.client.Dial(h.Context(), "s:80"); !errors.Is(err, syscall.ETIMEDOUT) {
			h.Errorf("dialling a machine without power: %v", err)
		}
		began := time.Now()
		h.wantError(writer, syscall.ETIMEDOUT)
		h.wantTime(began, 8*time.Second, 11*time.Second)
		h.hangs(reader, time.Hour)
		// When it is up again its kernel knows nothing of the connection.
		h.NewNode("s")
		h.mustWrite(reader, "hello?")
		h.wantError(reader, syscall.ECONNRESET)
	})
}

func TestAKeepaliveFindsADeadPeer(t *testing.T) {
	onNetwork(t, Config{KeepAlive: 5 * time.Second, DeadAfter: 10 * time.Second}, func(h *harness) {
		c, s := h.pair()
		h.hangs(c, time.Hour) // the peer lives
		h.PowerLoss("s")
		began := time.Now()
		h.wantError(c, syscall.ETIMEDOUT)
		h.wantTime(began, 9*time.Second, 16*time.Second)
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, ErrDead) {
			h.Errorf("N7: read: %v", err)
		}
	})
}

func TestAShortPartitionBreaksNothing(t *testing.T) {
	for _, direction := range []Direction{OneWay, BothWays} {
		for _, from := range []string{"c", "s"} {
			onNetwork(t, Config{LatencyLow: time.Millisecond, DeadAfter: 10 * time.Second, RetransmitMax: time.Second}, func(h *harness) {
				c, s := h.pair()
				h.mustWrite(c, "before")
				cut := h.Cut([]string{from}, nil, direction)
				h.mustWrite(c, ", during")
				if direction == BothWays || from == "c" {
					h.hangs(s, 8*time.Second)
				} else {
					h.wait(8 * time.Second) // only what is acknowledged is held up
				}
				bound := h.HealBound()
				cut.Heal()
				began := time.Now()
				h.mustRead(s, "before, during")
				h.wantTime(began, 0, bound)
				h.mustWrite(c, "after")
				h.mustRead(s, "after")
				h.wait(time.Minute)
				h.mustWrite(s, "and back")
				h.mustRead(c, "and back")
			})
		}
	}
}

func TestALongPartitionBreaksWhatExpectsAnswers(t *testing.T) {
	onNetwork(t, Config{DeadAfter: 10 * time.Second, DialLimit: time.Second}, func(h *harness) {
		c, s := h.pair()
		h.Cut([]string{"c"}, []string{"s"}, BothWays)
		h.mustWrite(c, "lost")
		began := time.Now()
		h.wantError(c, syscall.ETIMEDOUT)
		h.wantTime(began, 10*time.Second, 11*time.Second)
		if _, err := h.client.Dial(h.Context(), "s:80"); !errors.Is(err, syscall.ETIMEDOUT) {
			h.Errorf("dialling across a partition: %v", err)
		}
		h.HealAll()
		// The server's side was left half-open and finds out when it writes.
		h.hangs(s, time.Minute)
		h.mustWrite(s, "is anybody there?")
		h.wantError(s, syscall.ECONNRESET)
	})
}

func TestADeathDuringAPartitionLeavesTheOtherSideHalfOpen(t *testing.T) {
	onNetwork(t, Config{}, func(h *harness) {
		c, s := h.pair()
		cut := h.Cut([]string{"s"}, []string{"c"}, OneWay)
		h.mustWrite(s, "never arrives")
		h.server.Kill()
		cut.Heal()
		h.hangs(c, time.Hour) // N2, and the reset is lost too
		h.mustWrite(c, "hello?")
		h.wantError(c, syscall.ECONNRESET)
	})
}

func TestPartitionsOfSetsStrikeOnlyBetweenThem(t *testing.T) {
	onNetwork(t, Config{}, func(h *harness) {
		inside := h.NewNode("s2")
		c, s := h.pair()
		h.Cut([]string{"s", "s2"}, nil, BothWays)
		within, err := inside.Dial(h.Context(), "s:80")
		if err != nil {
			h.Fatal(err)
		}
		h.mustWrite(within, "inside")
		h.mustWrite(c, "outside")
		h.hangs(s, time.Second)
		h.HealAll()
		h.mustRead(s, "outside")
	})
}

func TestOverlappingFaultsMustAllBeHealed(t *testing.T) {
	onNetwork(t, Config{}, func(h *harness) {
		c, s := h.pair()
		cut, clog := h.Cut([]string{"c"}, []string{"s"}, OneWay), h.Clog([]string{"c"}, nil, BothWays)
		h.mustWrite(c, "x")
		cut.Heal()
		cut.Heal()
		h.hangs(s, time.Second)
		clog.Heal()
		h.mustRead(s, "x")
	})
}

func TestAClogLosesNothing(t *testing.T) {
	onNetwork(t, Config{LatencyLow: 10 * time.Millisecond, LatencyHigh: 10 * time.Millisecond}, func(h *harness) {
		c, s := h.pair()
		h.mustWrite(c, "on its way")
		clog := h.Clog([]string{"c"}, []string{"s"}, OneWay)
		dialled := make(chan error, 1)
		go func() {
			_, err := h.client.Dial(h.Context(), "s:80")
			dialled <- err
		}()
		h.hangs(s, 2*time.Second)
		began := time.Now()
		clog.Heal()
		h.mustRead(s, "on its way")
		if err := <-dialled; err != nil {
			h.Errorf("dial: %v", err)
		}
		h.wantTime(began, 5*time.Millisecond, 500*time.Millisecond)
		// A reset is not lost in a clog either.
		clog = h.Clog([]string{"s"}, []string{"c"}, OneWay)
		h.server.Kill()
		h.hangs(c, time.Second)
		clog.Heal()
		h.wantError(c, syscall.ECONNRESET)
	})
}

func TestResetsBreakConnectionsBetweenTheMachinesNamed(t *testing.T) {
	for range 5 {
		onNetwork(t, Config{}, func(h *harness) {
			var conns []*Conn
			for range 10 {
				c, s := h.pair()
				conns = append(conns, c, s)
			}
			if n := h.ResetSome([]string{"c"}, []string{"elsewhere"}, 1); n != 0 {
				h.Errorf("%d connections broken that lie elsewhere", n)
			}
			if n := h.ResetSome([]string{"c"}, nil, 1); n != 10 {
				h.Errorf("%d connections broken, want 10", n)
			}
			h.wait(time.Second)
			told := 0
			for _, c := range conns {
				// Whoever was not told finds out now.
				if n, _ := c.Write([]byte("x")); n == 0 {
					told++
				}
				h.wantError(c, syscall.ECONNRESET)
			}
			if told == 20 {
				h.Error("no reset was one-sided")
			}
		})
	}
}

func TestClosingTheNetworkEndsEverything(t *testing.T) {
	onNetwork(t, Config{KeepAlive: time.Second}, func(h *harness) {
		_, s := h.pair()
		errs := make(chan error, 4)
		go func() { _, err := s.Read(make([]byte, 1)); errs <- err }()
		go func() { _, err := io.Copy(s, endless{}); errs <- err }()
		go func() { _, err := h.listener.Accept(); errs <- err }()
		go func() { _, err := h.client.Dial(context.WithoutCancel(h.Context()), "nowhere:1"); errs <- err }()
		synctest.Wait()
		for range 2 {
			if err := h.Close(); err != nil {
				h.Error(err)
			}
		}
		for range 4 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				h.Errorf("N8: %v", err)
			}
		}
		if _, err := h.client.Listen(":1"); !errors.Is(err, net.ErrClosed) {
			h.Errorf("N8: listen: %v", err)
		}
	})
}

// endless is a stream of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestTheTraceShowsEachMessage(t *testing.T) {
	onNetwork(t, Config{DialLimit: time.Second}, func(h *harness) {
		c, s := h.pair()
		h.mustWrite(c, "hello")
		h.mustRead(s, "hello")
		h.PowerLoss("s")
		_, _ = h.client.Dial(h.Context(), "s:80")
		all := strings.Join(h.trace, "\n")
		for _, want := range []string{
			"net s:80 listens\nnet c:32768>s:80 syn\nnet s:80>c:32768 synack\n",
			"net c:32768>s:80 data 0+", " crc=", "net s:80>c:32768 ack 5 65536\n", "net s down\n",
			"syn lost: machine is down", "gives up dialling",
		} {
			if !strings.Contains(all, want) {
				h.Errorf("the trace lacks %q:\n%s", want, all)
			}
		}
	})
}
