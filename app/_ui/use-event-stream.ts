'use client'

import { useEffect, useEffectEvent, useState } from 'react'

export type Connection = 'connecting' | 'open' | 'reconnecting'

const hiddenMs = 30_000
const firstRetryMs = 1_000
const longestRetryMs = 15_000

/**
 * Follows a server-sent event stream and says how the connection is. A lost one resumes where it was: the browser
 * sends the last id by itself while it retries, and we do after it gave up. A page that nobody looks at lets go of its
 * connection, since browsers allow only six to one HTTP/1.1 host. Null: nothing to follow (any more).
 */
export function useEventStream(
  url: string | null,
  onData: (data: string, id: string) => void,
  /** Called at each connection: what happened before the first one the stream may not tell. */
  onOpen: () => void = () => {},
): Connection {
  const [connection, setConnection] = useState<Connection>('connecting')
  const receive = useEffectEvent(onData)
  const opened = useEffectEvent(onOpen)

  useEffect(() => {
    if (url === null) return
    let source: EventSource | null = null
    let lastId = ''
    let retryMs = firstRetryMs
    let retry: ReturnType<typeof setTimeout> | undefined
    let hide: ReturnType<typeof setTimeout> | undefined

    const close = () => {
      clearTimeout(retry)
      source?.close()
      source = null
    }
    const open = () => {
      close()
      const from = new URL(url, window.location.href)
      if (lastId !== '') from.searchParams.set('lastEventId', lastId)
      source = new EventSource(from)
      source.onopen = () => {
        retryMs = firstRetryMs
        setConnection('open')
        opened()
      }
      source.onmessage = (event) => {
        lastId = event.lastEventId
        receive(event.data, event.lastEventId)
      }
      source.onerror = () => {
        setConnection('reconnecting')
        // A browser gives up for good when the answer was no stream, such as the edge's 503 while we restart.
        if (source?.readyState !== EventSource.CLOSED) return
        retry = setTimeout(open, retryMs)
        retryMs = Math.min(longestRetryMs, retryMs * 2)
      }
    }
    const onVisibility = () => {
      clearTimeout(hide)
      if (document.visibilityState === 'hidden') hide = setTimeout(close, hiddenMs)
      else if (source === null) open()
    }

    open()
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      clearTimeout(hide)
      close()
    }
  }, [url])

  return connection
}
