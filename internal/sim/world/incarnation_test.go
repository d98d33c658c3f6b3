package world

import (
	"context"
	"errors"
	"testing"
)

func TestAnIncarnationIsDeadAsSoonAsItsDiskIs(t *testing.T) {
	_, p := newFakeProcess(t)
	inc := p.mustBoot(t)
	if inc.Dead() {
		t.Fatal("dead before anything happened")
	}
	// A loss of power begins like this; what the process does next waits for
	// the lock that its clients may hold.
	inc.mount.Kill()
	if !inc.Dead() || !errors.Is(inc.Death(), ErrKilled) || inc.Context().Err() != nil {
		t.Errorf("W1: dead %v of %v, context %v", inc.Dead(), inc.Death(), context.Cause(inc.Context()))
	}
	p.Kill()
	if !inc.Dead() || inc.Context().Err() == nil {
		t.Error("the kill that followed did not end it")
	}
	p.AwaitBurials()
}
