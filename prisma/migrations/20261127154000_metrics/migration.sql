-- CreateTable
CREATE TABLE "metric_points" (
    "subject" TEXT NOT NULL,
    "stepSeconds" INTEGER NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,
    "hostId" TEXT NOT NULL,
    "appId" TEXT,
    "process" TEXT,
    "replica" INTEGER,
    "means" DOUBLE PRECISION[],
    "peaks" DOUBLE PRECISION[],

    CONSTRAINT "metric_points_pkey" PRIMARY KEY ("subject","stepSeconds","at")
);

-- CreateIndex
CREATE INDEX "metric_points_appId_stepSeconds_at_idx" ON "metric_points"("appId", "stepSeconds", "at");

-- CreateIndex
CREATE INDEX "metric_points_stepSeconds_at_idx" ON "metric_points"("stepSeconds", "at");

-- AddForeignKey
ALTER TABLE "metric_points" ADD CONSTRAINT "metric_points_appId_fkey" FOREIGN KEY ("appId") REFERENCES "apps"("id") ON DELETE CASCADE ON UPDATE CASCADE;
