'use client'

import Link from 'next/link'
import { usePathname } from 'next/navigation'
import type { ReactNode } from 'react'
import { cn } from '../_ui/cn.ts'

interface NavLinkProps {
  href: string
  /** Only this page itself, not those below it. */
  exact?: boolean
  children: ReactNode
}

export function NavLink({ href, exact = false, children }: NavLinkProps) {
  const path = usePathname()
  const current = path === href || (!exact && path.startsWith(`${href}/`))
  return (
    <Link
      href={href}
      aria-current={current ? 'page' : undefined}
      className={cn(
        'flex h-8 items-center gap-2.5 rounded-lg px-2.5 transition-colors [&_svg]:size-4 [&_svg]:shrink-0',
        current
          ? 'bg-accent-soft font-medium text-accent-text'
          : 'text-muted hover:bg-border/60 hover:text-foreground',
      )}
    >
      {children}
    </Link>
  )
}
