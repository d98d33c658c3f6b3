package shell

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestThrottleLimitsListsAndUnlimitsTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, out := newSession(t, Config{})
		_, j, jsonOut := newSession(t, Config{JSON: true})
		steps := []struct{ line, want string }{
			{"throttle list", "There are no limits on tags\n"},
			{"throttle on tag web 50 10m", "Tag `web' is limited to 50 starts a second for 10m0s\n"},
			{"throttle on tag web 0.5 2d batch", "Tag `web' is limited to 0.5 starts a second for 48h0m0s\n"},
			{`throttle on tag "a b"`, "Tag `a b' is limited to 0 starts a second for 1h0m0s\n"},
			{"throttle list", "`a b': 0 starts a second, default priority and lower, ends in 1h0m0s\n" +
				"`web': 50 starts a second, default priority and lower, ends in 10m0s\n" +
				"`web': 0.5 starts a second, batch priority and lower, ends in 48h0m0s\n"},
			{"throttle off tag web immediate", "Limits taken away: 0\n"},
			{"throttle off tag web batch", "Limits taken away: 1\n"},
			{"throttle off all", "Limits taken away: 2\n"},
			{"throttle list", "There are no limits on tags\n"},
		}
		for _, step := range steps {
			before := len(out.String())
			if err := s.Run(t.Context(), step.line); err != nil || out.String()[before:] != step.want {
				t.Errorf("%s: %v, printed %q, want %q", step.line, err, out.String()[before:], step.want)
			}
		}
		if err := j.Run(t.Context(), "throttle on tag web 5 1s; throttle list"); err != nil {
			t.Error(err)
		}
		limit := `{"tag":"web","priority":"default","starts_per_second":5,"until":"` + time.Now().Add(time.Second).UTC().Format(time.RFC3339) + `"}`
		if text := jsonOut.String(); strings.Count(text, limit) != 2 || !strings.Contains(text, `{"limits":[`+limit+`]}`) {
			t.Errorf("printed %s, want %s twice", text, limit)
		}
	})
}

func TestThrottleSaysWhatIsWrong(t *testing.T) {
	_, s, out := newSession(t, Config{})
	for line, want := range map[string]string{
		"throttle on":                       "Usage: throttle <on|off|list> ...",
		"throttle off":                      "Usage: ",
		"throttle enable auto":              "Usage: ",
		"throttle list recommended":         "Usage: ",
		"throttle on tag web fast":          "bad rate `fast'",
		"throttle on tag web -1":            "must not be negative (2006)",
		"throttle on tag 0123456789abcdefg": "longer than the limit of 16 bytes (2110)",
		"throttle on tag web 1 10":          "bad duration `10'",
		"throttle on tag web 1 0s":          "bad duration `0s'",
		"throttle on tag web 1 366d":        "bad duration `366d'",
		"throttle on tag web 1 1s low":      "bad priority `low'",
		"throttle off tag web low":          "bad priority `low'",
	} {
		expectFailure(t, s, out, line, want)
	}
	expectFailure(t, s, out, "begin; throttle off all", "cannot be used in a transaction")
	if err := s.Run(t.Context(), "rollback; writemode off"); err != nil {
		t.Fatal(err)
	}
	expectFailure(t, s, out, "throttle on tag web", "writemode must be enabled")
}

// expectFailure runs a line that must fail, with this text.
func expectFailure(t *testing.T, s *Session, out *output, line, want string) {
	t.Helper()
	before := len(out.String())
	if err := s.Run(t.Context(), line); err == nil || !strings.Contains(out.String()[before:], want) {
		t.Errorf("%s: %v, printed %q, want %q", line, err, out.String()[before:], want)
	}
}
