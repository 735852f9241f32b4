'use client'

import { useFormatter, useLocale, useNow } from 'next-intl'
import { useEffect, useState } from 'react'

/** "3 minutes ago", kept true; the exact time in the reader's own zone on hovering. */
export function RelativeTime({ at }: { at: string }) {
  const format = useFormatter()
  const locale = useLocale()
  const now = useNow({ updateInterval: 20_000 })
  const [exact, setExact] = useState<string>()
  const date = new Date(at)
  useEffect(() => setExact(new Date(at).toLocaleString(locale)), [at, locale])
  // A clock that is a little behind the server's must not say "in 2 seconds".
  const shown = date > now ? now : date
  return (
    <time dateTime={at} title={exact} suppressHydrationWarning>
      {format.relativeTime(shown, now)}
    </time>
  )
}
