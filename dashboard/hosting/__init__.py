"""What a page for strangers needs: settings, rates, headers, logs, counters. One's own page needs little."""
