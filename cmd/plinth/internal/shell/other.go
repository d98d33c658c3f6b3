package shell

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

func (s *Session) history(_ context.Context, args [][]byte) (reply, error) {
	if s.entered == nil {
		return reply{}, &misuse{"there is no history: the commands do not come from a terminal"}
	}
	lines := s.entered()
	first := 0
	if len(args) == 1 {
		n, err := strconv.Atoi(string(args[0]))
		if err != nil || n < 0 {
			return reply{}, &misuse{fmt.Sprintf("bad number `%s': it must be 0 or more", tuple.Printable(args[0]))}
		}
		first = max(0, len(lines)-n)
	}
	var text strings.Builder
	for i, line := range lines[first:] {
		fmt.Fprintf(&text, "%5d  %s\n", first+i+1, line)
	}
	return reply{text.String(), fields{{"lines", lines[first:]}}}, nil
}

// maxSleepSeconds bounds sleep to a day.
const maxSleepSeconds = 24 * 60 * 60

func (s *Session) sleep(ctx context.Context, args [][]byte) (reply, error) {
	seconds, err := strconv.ParseFloat(string(args[0]), 64)
	if err != nil || !(seconds >= 0 && seconds <= maxSleepSeconds) { // The comparison is so that it refuses what is no number.
		return reply{}, &misuse{fmt.Sprintf("bad time `%s': it must be a number of seconds, 0 to %d", tuple.Printable(args[0]), maxSleepSeconds)}
	}
	timer := time.NewTimer(time.Duration(seconds * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return reply{}, nil
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

// waitConnected returns once the database answers.
func (s *Session) waitConnected(ctx context.Context, _ [][]byte) (reply, error) {
	_, err := kv.ReadTransact(ctx, s.db, func(r kv.Reader) (kv.Version, error) { return r.ReadVersion() }, kv.WithReadLockAware(true))
	return reply{}, err
}
