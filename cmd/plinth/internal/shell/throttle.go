package shell

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

func throttleVerb() verb {
	return verb{
		name: "throttle", usage: "throttle <on|off|list> ...", minArgs: 1, maxArgs: 6, commits: true, run: (*Session).throttle, words: throttleWords,
		short: "limit the starts of transactions with a tag",
		long: "throttle on tag <TAG> [RATE] [DURATION] [PRIORITY] limits transactions with the tag to RATE starts a second, 0 if it is left " +
			"out, for a DURATION such as 30s, 10m, 2h or 1d, an hour if it is left out. The limit is for transactions of PRIORITY and lower " +
			"ones: immediate, default or batch; it is default if that is left out.\n\n" +
			"throttle off all|tag <TAG> [PRIORITY] takes limits away. throttle list prints them.\n\n" +
			"A transaction beyond a limit waits for up to a second, then fails with tag_throttled. Limits are in the store and outlive the process.",
	}
}

// throttleWords completes the words of throttle.
func throttleWords(_ *Session, args []string, _ string) []string {
	switch line := strings.Join(args, " "); {
	case line == "":
		return []string{"list", "off", "on"}
	case line == "on":
		return []string{"tag"}
	case line == "off":
		return []string{"all", "tag"}
	case strings.HasPrefix(line, "off tag ") && len(args) == 3, strings.HasPrefix(line, "on tag ") && len(args) == 5:
		return priorityNames()
	}
	return nil
}

// priorityNames is in the order of kv's priorities.
func priorityNames() []string { return []string{"default", "batch", "immediate"} }

func (s *Session) throttle(ctx context.Context, args [][]byte) (reply, error) {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = string(arg)
	}
	switch {
	case words[0] == "list" && len(words) == 1:
		return s.listThrottles(ctx)
	case words[0] == "on" && len(words) >= 3 && words[1] == "tag":
		return s.throttleTag(ctx, words[2], words[3:])
	case words[0] == "off" && len(words) == 2 && words[1] == "all":
		return s.unthrottle(ctx, "", nil)
	case words[0] == "off" && len(words) == 3 && words[1] == "tag":
		return s.unthrottle(ctx, words[2], nil)
	case words[0] == "off" && len(words) == 4 && words[1] == "tag":
		priority, err := parsePriority(words[3])
		if err != nil {
			return reply{}, err
		}
		return s.unthrottle(ctx, words[2], []kv.Priority{priority})
	}
	return reply{}, usageOf("throttle")
}

// throttleTag limits a tag; rest is rate, duration and priority, as far as they
// were given.
func (s *Session) throttleTag(ctx context.Context, tag string, rest []string) (reply, error) {
	if err := s.mayThrottle(); err != nil {
		return reply{}, err
	}
	limit, duration := kv.TagThrottle{Tag: tag}, time.Hour
	var err error
	if len(rest) > 0 {
		if limit.StartsPerSecond, err = strconv.ParseFloat(rest[0], 64); err != nil {
			return reply{}, &misuse{fmt.Sprintf("bad rate `%s': it must be a number of starts a second", rest[0])}
		}
	}
	if len(rest) > 1 {
		if duration, err = parseDuration(rest[1]); err != nil {
			return reply{}, err
		}
	}
	if len(rest) > 2 {
		if limit.Priority, err = parsePriority(rest[2]); err != nil {
			return reply{}, err
		}
	}
	limit.Until = time.Now().Add(duration)
	if err := kv.ThrottleTag(ctx, s.db, limit); err != nil {
		return reply{}, err
	}
	return reply{
		fmt.Sprintf("Tag `%s' is limited to %v starts a second for %v\n", tuple.Printable([]byte(tag)), limit.StartsPerSecond, duration),
		throttleFields(limit),
	}, nil
}

// unthrottle takes the limits of a tag away, those of all tags if it is empty.
func (s *Session) unthrottle(ctx context.Context, tag string, priorities []kv.Priority) (reply, error) {
	if err := s.mayThrottle(); err != nil {
		return reply{}, err
	}
	all, err := kv.ThrottledTags(ctx, s.db)
	if err != nil {
		return reply{}, err
	}
	n := 0
	for _, limit := range all {
		if tag != "" && limit.Tag != tag || len(priorities) > 0 && !slices.Contains(priorities, limit.Priority) {
			continue
		}
		if _, err := kv.UnthrottleTag(ctx, s.db, limit.Tag, limit.Priority); err != nil {
			return reply{}, err
		}
		n++
	}
	return reply{fmt.Sprintf("Limits taken away: %d\n", n), fields{{"removed", n}}}, nil
}

// mayThrottle refuses to change limits where nothing may be written.
func (s *Session) mayThrottle() error {
	switch {
	case s.tx != nil:
		return &misuse{"throttle on and off cannot be used in a transaction"}
	case s.readOnly:
		return &misuse{"writemode must be enabled to change limits on tags."}
	}
	return nil
}

func (s *Session) listThrottles(ctx context.Context) (reply, error) {
	all, err := kv.ThrottledTags(ctx, s.db)
	if err != nil {
		return reply{}, err
	}
	slices.SortFunc(all, func(a, b kv.TagThrottle) int {
		return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Priority, b.Priority))
	})
	result := []fields{}
	var text strings.Builder
	if len(all) == 0 {
		text.WriteString("There are no limits on tags\n")
	}
	for _, limit := range all {
		ends := "no end"
		if !limit.Until.IsZero() {
			ends = fmt.Sprintf("ends in %v", time.Until(limit.Until).Round(time.Second))
		}
		fmt.Fprintf(&text, "`%s': %v starts a second, %s priority and lower, %s\n",
			tuple.Printable([]byte(limit.Tag)), limit.StartsPerSecond, priorityNames()[limit.Priority], ends)
		result = append(result, throttleFields(limit))
	}
	return reply{text.String(), fields{{"limits", result}}}, nil
}

// throttleFields is a limit for scripts.
func throttleFields(limit kv.TagThrottle) fields {
	f := fields{
		{"tag", []byte(limit.Tag)},
		{"priority", priorityNames()[limit.Priority]},
		{"starts_per_second", limit.StartsPerSecond},
	}
	if !limit.Until.IsZero() {
		f = append(f, field{"until", limit.Until.UTC().Format(time.RFC3339)})
	}
	return f
}

func parsePriority(text string) (kv.Priority, error) {
	i := slices.Index(priorityNames(), text)
	if i < 0 {
		return 0, &misuse{fmt.Sprintf("bad priority `%s': it must be immediate, default or batch", tuple.Printable([]byte(text)))}
	}
	return kv.Priority(i), nil
}

// maxThrottleDuration bounds the duration of a limit that a person enters.
const maxThrottleDuration = 365 * 24 * time.Hour

// parseDuration reads a number with one of the suffixes s, m, h and d.
func parseDuration(text string) (time.Duration, error) {
	if text != "" {
		units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
		n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
		unit, ok := units[text[len(text)-1]]
		if d := time.Duration(n) * unit; err == nil && ok && d > 0 && d <= maxThrottleDuration {
			return d, nil
		}
	}
	return 0, &misuse{fmt.Sprintf("bad duration `%s': it must be a number with s, m, h or d behind it, up to 365d", tuple.Printable([]byte(text)))}
}
