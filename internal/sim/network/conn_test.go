package network

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestBothDirectionsCarryALotThroughSmallBuffers(t *testing.T) {
	config := Config{SegmentBytes: 100, SendBufferBytes: 300, ReceiveBufferBytes: 200, LatencyLow: time.Millisecond, LatencyHigh: time.Millisecond}
	onNetwork(t, config, func(h *harness) {
		c, s := h.pair()
		var work sync.WaitGroup
		for i, ends := range [][2]*Conn{{c, s}, {s, c}} {
			data := make([]byte, 50_000)
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			for j := range data {
				data[j] = byte(rng.Uint32())
			}
			work.Go(func() {
				if n, err := ends[0].Write(data); n != len(data) || err != nil {
					h.Errorf("write: %d, %v", n, err)
				}
				if err := ends[0].CloseWrite(); err != nil {
					h.Error(err)
				}
			})
			work.Go(func() {
				got, err := io.ReadAll(ends[1])
				if err != nil || !bytes.Equal(got, data) {
					h.Errorf("N1: read %d bytes (%v), want the %d that were written", len(got), err, len(data))
				}
			})
		}
		work.Wait()
	})
}

func TestWriteBlocksUntilTheOtherSideReads(t *testing.T) {
	onNetwork(t, Config{SendBufferBytes: 1000, ReceiveBufferBytes: 500}, func(h *harness) {
		c, s := h.pair()
		written := make(chan int, 1)
		go func() {
			n, _ := c.Write(make([]byte, 1501))
			written <- n
		}()
		h.wait(time.Hour) // far longer than DeadAfter: a slow reader is not a dead one
		select {
		case n := <-written:
			h.Fatalf("N4: %d bytes were written though nobody read", n)
		default:
		}
		h.mustRead(s, string(make([]byte, 1501)))
		if n := <-written; n != 1501 {
			h.Errorf("N4: %d bytes were written", n)
		}
	})
}

func TestADeadlineFailsItsDirectionOnlyAndCanBeMoved(t *testing.T) {
	onNetwork(t, Config{SendBufferBytes: 10, ReceiveBufferBytes: 10}, func(h *harness) {
		c, s := h.pair()
		began := time.Now()
		_ = c.SetReadDeadline(began.Add(time.Second))
		_, err := c.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			h.Errorf("N5: read ended with %v", err)
		}
		h.wantTime(began, time.Second, time.Second+time.Millisecond)
		h.mustWrite(c, "still works")
		h.mustRead(s, "still works")
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		h.mustWrite(s, "again")
		h.mustRead(c, "again")

		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := c.Write(make([]byte, 100))
		if n != 20 || !errors.Is(err, os.ErrDeadlineExceeded) {
			h.Errorf("N5: write of %d bytes ended with %v, want 20 in the buffers", n, err)
		}
	})
}

func TestAnExpiredDeadlineFailsEvenWhatWouldNotWait(t *testing.T) {
	onNetwork(t, Config{}, func(h *harness) {
		c, s := h.pair()
		h.mustWrite(s, "here")
		h.wait(time.Second)
		_ = c.SetDeadline(time.Unix(0, 0))
		for range 2 {
			if n, err := c.Read(make([]byte, 4)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				h.Errorf("N5: read %d, %v", n, err)
			}
			if n, err := c.Write(make([]byte, 4)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				h.Errorf("N5: write %d, %v", n, err)
			}
		}
		_ = c.SetDeadline(time.Time{})
		h.mustRead(c, "here")
	})
}

func TestMovingADeadlineToThePastUnblocks(t *testing.T) {
	onNetwork(t, Config{}, func(h *harness) {
		c, _ := h.pair()
		done := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		_ = c.SetReadDeadline(time.Now().Add(-time.Second))
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
			h.Errorf("N5: read ended with %v", err)
		}
	})
}

func TestCloseUnblocksEverythingOnBothSides(t *testing.T) {
	onNetwork(t, Config{SendBufferBytes: 10, ReceiveBufferBytes: 10}, func(h *harness) {
		c, s := h.pair()
		errs := make(chan error, 3)
		go func() { _, err := c.Read(make([]byte, 1)); errs <- err }()
		go func() { _, err := c.Write(make([]byte, 100)); errs <- err }()
		go func() { _, err := h.listener.Accept(); errs <- err }()
		synctest.Wait()
		_ = c.Close()
		_ = h.listener.Close()
		for range 3 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				h.Errorf("N5: %v, want %v", err, net.ErrClosed)
			}
		}
		// What was written before is still there.
		if got, err := io.ReadAll(s); err != nil || len(got) != 20 {
			h.Errorf("N1: read %d bytes (%v), want the 20 that fitted", len(got), err)
		}
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			h.Errorf("second Close: %v", err)
		}
	})
}

func TestCloseWriteLeavesTheOtherDirectionOpen(t *testing.T) {
	onNetwork(t, Config{}, func(h *harness) {
		c, s := h.pair()
		h.mustWrite(c, "question")
		if err := c.CloseWrite(); err != nil {
			h.Fatal(err)
		}
		if got, err := io.ReadAll(s); err != nil || string(got) != "question" {
			h.Errorf("read %q, %v", got, err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			h.Errorf("write after CloseWrite: %v", err)
		}
		h.mustWrite(s, "answer")
		_ = s.Close()
		if got, err := io.ReadAll(c); err != nil || string(got) != "answer" {
			h.Errorf("read %q, %v", got, err)
		}
		_ = c.Close()
		h.wait(time.Minute)
		if n := h.Stats().Endpoints; n != 0 {
			h.Errorf("N10: %d ends are left", n)
		}
	})
}

func TestClosingWithUnreadDataResets(t *testing.T) {
	onNetwork(t, Config{}, func(h *harness) {
		c, s := h.pair()
		h.mustWrite(c, "nobody reads this")
		h.wait(time.Second)
		_ = s.Close()
		h.wantError(c, syscall.ECONNRESET)
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			h.Errorf("write: %v", err)
		}
	})
}

// A reset once threw away what had arrived of a stream that was complete, and
// Read then returned io.EOF too early.
func TestAResetAfterTheEndOfAStreamLosesNothingOfIt(t *testing.T) {
	for range 10 { // whether a reset drops what was not read is chance
		onNetwork(t, Config{DeadAfter: time.Second}, func(h *harness) {
			for range 10 {
				c, s := h.pair()
				h.mustWrite(c, "all of it")
				_ = c.Close()
				h.wait(time.Minute) // the client's kernel gives up and resets
				if got, err := io.ReadAll(s); err != nil || string(got) != "all of it" {
					h.Fatalf("N1: read %q, %v", got, err)
				}
				_ = s.Close()
			}
		})
	}
}

func TestConcurrentWritesDoNotMix(t *testing.T) {
	onNetwork(t, Config{SendBufferBytes: 7, SegmentBytes: 3}, func(h *harness) {
		c, s := h.pair()
		const writers, size = 5, 100
		var work sync.WaitGroup
		for i := range writers {
			work.Go(func() { h.mustWrite(c, string(bytes.Repeat([]byte{byte(i)}, size))) })
		}
		seen := make([]bool, writers)
		for range writers {
			got := make([]byte, size)
			if _, err := io.ReadFull(s, got); err != nil {
				h.Fatal(err)
			}
			if !bytes.Equal(got, bytes.Repeat(got[:1], size)) || seen[got[0]] {
				h.Fatalf("writes are mixed: %v", got)
			}
			seen[got[0]] = true
		}
		work.Wait()
	})
}

func TestLatencyAndBandwidthTakeTheirTime(t *testing.T) {
	config := Config{
		LatencyLow: 20 * time.Millisecond, LatencyHigh: 20 * time.Millisecond,
		BytesPerSecondLow: 100_000, BytesPerSecondHigh: 100_000,
		SegmentBytes: 1000, SendBufferBytes: 1 << 20, ReceiveBufferBytes: 1 << 20,
	}
	onNetwork(t, config, func(h *harness) {
		began := time.Now()
		c, s := h.pair()
		h.wantTime(began, 20*time.Millisecond, 300*time.Millisecond)
		other, _ := h.pair()
		began = time.Now()
		h.mustWrite(c, string(make([]byte, 100_000)))
		h.mustWrite(other, string(make([]byte, 100_000)))
		h.wantTime(began, 0, time.Millisecond)
		h.mustRead(s, string(make([]byte, 100_000)))
		h.wantTime(began, time.Second, 1500*time.Millisecond)
		h.wait(0)
		for time.Since(began) < 2*time.Second || h.Stats().BytesArrived < 200_000 {
			h.wait(10 * time.Millisecond)
		}
		h.wantTime(began, 2*time.Second, 3*time.Second)
	})
}

func TestOneGeneratorGivesOneTrace(t *testing.T) {
	run := func(seed uint64) (lines []string) {
		rng := rand.New(rand.NewPCG(seed, 0))
		f := newFabric(Draw(rng), rng, func(line []byte) { lines = append(lines, string(line)) })
		s := f.newNode("s")
		l, err := s.listen(Addr{"s", 80}, func() {})
		if err != nil {
			t.Fatal(err)
		}
		ep, err := f.newNode("c").connect(0, Addr{"s", 80})
		if err != nil {
			t.Fatal(err)
		}
		for now := time.Duration(0); now < 3*time.Second; now += time.Millisecond {
			f.advance(now)
			if ep.established {
				sum := sha256.Sum256([]byte(now.String()))
				_, _ = ep.write(now, sum[:])
			}
			if peer := l.accept(); peer != nil {
				ep.peer = peer
			}
			if ep.peer != nil {
				_, _ = ep.peer.read(now, make([]byte, 100))
			}
		}
		return lines
	}
	first := run(1)
	if len(first) < 100 || !slices.Equal(first, run(1)) {
		t.Errorf("N9: two runs of one seed differ, or do nothing: %d lines", len(first))
	}
	if slices.Equal(first, run(2)) {
		t.Error("two seeds gave one trace")
	}
}
