package resolver

import (
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// answers keeps what was answered, in the order of the versions, until the
// proxy that asked has acknowledged it (R7), and at most limit of them (R8).
type answers struct {
	limit int
	kept  []answer
}

type answer struct {
	prev, version wire.Version
	proxy         wire.RoleID
	reply         wire.ResolveReply
	acknowledged  bool
}

// add keeps an answer that is newer than all others.
func (a *answers) add(n answer) {
	if len(a.kept) >= a.limit {
		a.kept = slices.Delete(a.kept, 0, len(a.kept)-a.limit+1)
	}
	a.kept = append(a.kept, n)
}

// forget drops the answers to proxy up to version. An answer may stay for as
// long as an older one to another proxy does, but without its reply.
func (a *answers) forget(proxy wire.RoleID, version wire.Version) {
	for i := range a.kept {
		k := &a.kept[i]
		if k.version > version {
			break
		}
		if k.proxy == proxy {
			k.acknowledged, k.reply = true, wire.ResolveReply{}
		}
	}
	n := 0
	for n < len(a.kept) && a.kept[n].acknowledged {
		n++
	}
	a.kept = slices.Delete(a.kept, 0, n)
}

// find returns the answer given at version, nil if it is not kept.
func (a *answers) find(version wire.Version) *answer {
	i, found := slices.BinarySearchFunc(a.kept, version, func(k answer, v wire.Version) int {
		return int(max(-1, min(1, k.version-v)))
	})
	if !found || a.kept[i].acknowledged {
		return nil
	}
	return &a.kept[i]
}
