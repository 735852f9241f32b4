'use client'

import { useLocale } from 'next-intl'
import { useEffect, useState } from 'react'
import { formatDuration, formatTook } from './format.ts'

/** How long something took, or, ticking, has taken until now. */
export function Duration({ from, to }: { from: string; to: string | null }) {
  const locale = useLocale()
  const [now, setNow] = useState<number | null>(null)
  useEffect(() => {
    if (to !== null) return
    const tick = () => setNow(Date.now())
    tick()
    const timer = setInterval(tick, 100)
    return () => clearInterval(timer)
  }, [to])
  const end = to === null ? now : Date.parse(to)
  if (end === null) return null
  const format = to === null ? formatDuration : formatTook
  return <span className="tabular-nums">{format(end - Date.parse(from), locale)}</span>
}
