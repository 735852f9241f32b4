-- AlterTable
ALTER TABLE "installation" ADD COLUMN     "alertHost" TEXT,
ADD COLUMN     "alertUntil" TIMESTAMP(3);

-- CreateTable
CREATE TABLE "alert_rules" (
    "subject" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "appId" TEXT,
    "hostId" TEXT,
    "isEnabled" BOOLEAN,
    "threshold" INTEGER,
    "forSeconds" INTEGER,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "alert_rules_pkey" PRIMARY KEY ("subject","rule")
);

-- CreateTable
CREATE TABLE "alerts" (
    "subject" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "appId" TEXT,
    "hostId" TEXT,
    "state" TEXT NOT NULL,
    "since" TIMESTAMP(3) NOT NULL,
    "calmSince" TIMESTAMP(3),
    "seenAt" TIMESTAMP(3),
    "value" DOUBLE PRECISION,
    "about" JSONB,
    "firedAt" TIMESTAMP(3),
    "recoveredAt" TIMESTAMP(3),
    "revision" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "alerts_pkey" PRIMARY KEY ("subject","rule")
);

-- CreateIndex
CREATE INDEX "alert_rules_appId_idx" ON "alert_rules"("appId");

-- CreateIndex
CREATE INDEX "alert_rules_hostId_idx" ON "alert_rules"("hostId");

-- CreateIndex
CREATE INDEX "alerts_appId_idx" ON "alerts"("appId");

-- CreateIndex
CREATE INDEX "alerts_hostId_idx" ON "alerts"("hostId");

-- CreateIndex
CREATE INDEX "alerts_state_idx" ON "alerts"("state");

-- AddForeignKey
ALTER TABLE "alert_rules" ADD CONSTRAINT "alert_rules_appId_fkey" FOREIGN KEY ("appId") REFERENCES "apps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "alert_rules" ADD CONSTRAINT "alert_rules_hostId_fkey" FOREIGN KEY ("hostId") REFERENCES "hosts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_appId_fkey" FOREIGN KEY ("appId") REFERENCES "apps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_hostId_fkey" FOREIGN KEY ("hostId") REFERENCES "hosts"("id") ON DELETE CASCADE ON UPDATE CASCADE;
