package network

import (
	"syscall"
	"time"
)

// expects reports whether the other side owes an answer.
func (ep *endpoint) expects() bool {
	return len(ep.send.buf) > 0 || ep.send.finSent && !ep.send.done
}

// ask is called before something is sent: an answer is expected from now on.
func (ep *endpoint) ask(now time.Duration) {
	if !ep.expects() {
		ep.askedAt = now
	}
}

// deadlines returns when the other side is first asked whether it lives, and
// when it counts as dead, if it is not heard of before; ok is false if it is
// not asked at all.
func (ep *endpoint) deadlines() (ask, dead time.Duration, ok bool) {
	c := &ep.fabric.config
	if ep.expects() {
		since := max(ep.heardAt, ep.askedAt)
		return since + c.ProbeInterval, since + c.DeadAfter, true
	}
	if c.KeepAlive > 0 && !ep.closed {
		return ep.heardAt + c.KeepAlive, ep.heardAt + c.KeepAlive + c.DeadAfter, true
	}
	return 0, 0, false
}

// arm sees to it that the timer does not fire too late.
func (ep *endpoint) arm(now time.Duration) {
	ask, _, ok := ep.deadlines()
	if !ok || ep.gone {
		return
	}
	ask = max(ask, now)
	if ep.timer.index < 0 || ep.timer.at > ask {
		ep.fabric.agenda.set(ep.timer, ask)
	}
}

// onTimer asks the other side for a sign of life, and gives it up if there has
// been none for too long (N6).
func (ep *endpoint) onTimer(now time.Duration) {
	ask, dead, ok := ep.deadlines()
	switch {
	case !ok || ep.gone:
	case now >= dead:
		ep.fabric.tracef("%v>%v gives up", ep.local, ep.remote)
		ep.breakOff(now, syscall.ETIMEDOUT)
	case now >= ask:
		ep.fabric.send(now, ep.segment(kindProbe))
		ep.fabric.agenda.set(ep.timer, min(now+ep.fabric.config.ProbeInterval, dead))
	default:
		ep.fabric.agenda.set(ep.timer, ask)
	}
}
