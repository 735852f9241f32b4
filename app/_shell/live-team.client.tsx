'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useRef } from 'react'
import { useEventStream } from '../_ui/use-event-stream.ts'

const restMs = 400

/**
 * Keeps what the page shows of a team true: events say what changed, the server's components read it. Many at once
 * cause one reading. Also remembers the team, for the next visit of `/`.
 */
export function LiveTeam({ teamId, slug }: { teamId: string; slug: string }) {
  const router = useRouter()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)

  const refresh = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      router.refresh()
    }, restMs)
  }
  // The stream tells what is new; what changed between the page's reading and the connection is read once that stands.
  useEventStream(`/api/v1/teams/${teamId}/events`, refresh, refresh)

  useEffect(() => {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is for secure contexts only
    document.cookie = `berth-team=${slug}; path=/; max-age=31536000; samesite=lax`
    return () => {
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [slug])

  return null
}
