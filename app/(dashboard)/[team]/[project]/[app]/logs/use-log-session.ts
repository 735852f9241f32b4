'use client'

import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { type Connection, useEventStream } from '../../../../../_ui/use-event-stream.ts'
import type { AskLogs } from './ask-logs.ts'
import { type LogFilter, paramsFor, problemOf } from './log-filter.ts'
import { LogSession, type LogState } from './log-session.ts'
import { createSearchAside } from './search-aside.ts'

const flushMs = 80
const pollMs = 2_000

interface OpenSession {
  session: LogSession
  state: LogState
  /** What the API was asked with. */
  params: Record<string, string>
  connection: Connection
}

/** Opens a session for each filter, keeps it live, and closes it with the page. */
export function useLogSession(
  appId: string,
  ask: AskLogs,
  filter: LogFilter,
  line: number | null,
): OpenSession {
  const key = JSON.stringify(filter)
  const { session, params } = useMemo(() => {
    const given = JSON.parse(key) as LogFilter
    // A search that can't be read finds nothing; the field says why.
    const readable = problemOf(given.query) === null ? given : { ...given, query: '' }
    const params = paramsFor(readable, Date.now())
    return { session: new LogSession({ ask, params, line, searchAside: createSearchAside }), params }
  }, [ask, key, line])
  const state = useSyncExternalStore(session.subscribe, session.state, session.state)

  useEffect(() => {
    void session.open()
    const timer = setInterval(() => session.flush(), flushMs)
    const poll = setInterval(() => {
      const isWanted = session.polls && !session.state().window.hasNewer
      if (isWanted && document.visibilityState === 'visible') void session.newer()
    }, pollMs)
    return () => {
      clearInterval(timer)
      clearInterval(poll)
      session.close()
    }
  }, [session])

  const { liveAfter } = state
  const url =
    liveAfter === null
      ? null
      : `/api/v1/apps/${appId}/logs?follow=true&lastEventId=${liveAfter === 0 ? '0-0' : `${liveAfter}-0`}`
  const connection = useEventStream(url, (data, id) => session.receive(data, id))
  return { session, state, params, connection }
}
