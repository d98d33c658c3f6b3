package world

import "time"

// CloseLimit is how long what is left of a dead process may take to end, and
// how long an orderly Close may take on a healthy disk.
const CloseLimit = 30 * time.Second
