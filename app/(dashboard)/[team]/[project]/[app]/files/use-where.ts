import { useSearchParams } from 'next/navigation'
import { useCallback, useEffect, useState } from 'react'
import type { FilePath } from './ask-files.ts'

export interface Where {
  /** Id of a container or a volume; null: none was chosen. */
  place: string | null
  at: FilePath
}

/**
 * Where somebody is, which stands in the address too, so that it can be sent to others, and the browser's buttons lead
 * back and forth. It is kept here: when the page reads itself anew just then, the router goes back to the address before.
 */
export function useWhere(): [Where, (to: Where) => void] {
  const params = useSearchParams()
  const [where, setWhere] = useState(() => whereIn(params))
  useEffect(() => {
    const follow = () => setWhere(whereIn(new URLSearchParams(location.search)))
    window.addEventListener('popstate', follow)
    return () => window.removeEventListener('popstate', follow)
  }, [])
  const goTo = useCallback((to: Where) => {
    setWhere(to)
    const { path, rawPath } = to.at
    const query = {
      ...(to.place === null ? {} : { in: to.place }),
      ...{ path, ...(rawPath === null ? {} : { raw: rawPath }) },
    }
    window.history.pushState(null, '', `?${new URLSearchParams(query)}`)
  }, [])
  return [where, goTo]
}

function whereIn(params: Pick<URLSearchParams, 'get'>): Where {
  return { place: params.get('in'), at: { path: params.get('path') ?? '/', rawPath: params.get('raw') } }
}
