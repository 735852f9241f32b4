'use client'

import { useRouter } from 'next/navigation'
import { useEffect } from 'react'

/** While it is on the page, the server's components are read again and again; not while nobody looks. */
export function ReadAgain({ everyMs }: { everyMs: number }) {
  const router = useRouter()
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') router.refresh()
    }, everyMs)
    return () => clearInterval(timer)
  }, [router, everyMs])
  return null
}
