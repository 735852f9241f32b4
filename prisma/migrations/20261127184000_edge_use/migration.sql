-- CreateTable
CREATE TABLE "edge_points" (
    "appId" TEXT NOT NULL,
    "domain" TEXT NOT NULL,
    "stepSeconds" INTEGER NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,
    "hostId" TEXT NOT NULL,
    "counts" BIGINT[],
    "openPeak" INTEGER NOT NULL,

    CONSTRAINT "edge_points_pkey" PRIMARY KEY ("appId","domain","stepSeconds","at")
);

-- CreateIndex
CREATE INDEX "edge_points_stepSeconds_at_idx" ON "edge_points"("stepSeconds", "at");

-- AddForeignKey
ALTER TABLE "edge_points" ADD CONSTRAINT "edge_points_appId_fkey" FOREIGN KEY ("appId") REFERENCES "apps"("id") ON DELETE CASCADE ON UPDATE CASCADE;
