package txn

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
)

// ShardMap says which storage servers hold which keys: shard i begins at
// boundary i and ends before boundary i+1, the last one at the end of all
// keys. It is immutable.
type ShardMap struct {
	begins [][]byte
	teams  [][]wire.Tag
}

// SingleTeam returns the map in which one team holds everything.
func SingleTeam(team ...wire.Tag) *ShardMap {
	return &ShardMap{begins: [][]byte{{}}, teams: [][]wire.Tag{team}}
}

// NewShardMap returns the map with the given shards. begins must ascend
// strictly and start with the empty key; every shard needs a team.
func NewShardMap(begins [][]byte, teams [][]wire.Tag) (*ShardMap, error) {
	if len(begins) == 0 || len(begins) != len(teams) || len(begins[0]) != 0 {
		return nil, fmt.Errorf("shard map: %d shards and %d teams; the first shard must begin at the empty key", len(begins), len(teams))
	}
	for i := range begins {
		if i > 0 && bytes.Compare(begins[i-1], begins[i]) >= 0 {
			return nil, fmt.Errorf("shard map: shard %d begins at %q, not after %q", i, begins[i], begins[i-1])
		}
		if len(teams[i]) == 0 {
			return nil, fmt.Errorf("shard map: shard %d has no team", i)
		}
	}
	return &ShardMap{begins: begins, teams: teams}, nil
}

// shardOf returns the number of the shard that holds key.
func (m *ShardMap) shardOf(key []byte) int {
	i, found := slices.BinarySearchFunc(m.begins, key, bytes.Compare)
	if found {
		return i
	}
	return i - 1
}

// tagsOf returns the tags of all storage servers that the mutation concerns,
// without repeats. The result is shared; do not change it.
func (m *ShardMap) tagsOf(mut wire.Mutation) []wire.Tag {
	first := m.shardOf(mut.Param1)
	if mut.Type != wire.ClearRange {
		return m.teams[first]
	}
	tags := m.teams[first]
	for i := first + 1; i < len(m.begins) && bytes.Compare(m.begins[i], mut.Param2) < 0; i++ {
		for _, tag := range m.teams[i] {
			if !slices.Contains(tags, tag) {
				tags = append(slices.Clip(tags), tag)
			}
		}
	}
	return tags
}

// appendBody appends the runs of the given mutation lists, in order, to body.
// Consecutive mutations for the same servers share a run; with one team that
// is a single run, and the lists are copied whole.
func (m *ShardMap) appendBody(body []byte, lists [][]byte) ([]byte, error) {
	if len(m.teams) == 1 {
		return appendWhole(body, m.teams[0], lists), nil
	}
	var run []byte
	var tags []wire.Tag
	for _, list := range lists {
		r := wire.ReadMutations(list)
		for {
			mut, ok, err := r.Next()
			if err != nil {
				return nil, err
			}
			if !ok {
				break
			}
			if t := m.tagsOf(mut); !slices.Equal(t, tags) {
				if len(run) > 0 {
					body = wire.AppendRun(body, tags, run)
				}
				run, tags = run[:0], t
			}
			run = wire.AppendMutation(run, mut)
		}
	}
	if len(run) > 0 {
		body = wire.AppendRun(body, tags, run)
	}
	return body, nil
}

// appendWhole appends one run made of all lists.
func appendWhole(body []byte, team []wire.Tag, lists [][]byte) []byte {
	size := 0
	for _, list := range lists {
		size += len(list)
	}
	if size == 0 {
		return body
	}
	body = slices.Grow(body, size+32)
	body = wire.AppendRunHeader(body, team, size)
	for _, list := range lists {
		body = append(body, list...)
	}
	return body
}
