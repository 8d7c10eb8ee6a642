/** An inventory: its request, rows and details. */
export * from './inventory-details.ts';
export * from './inventory-request.ts';
export * from './inventory.ts';
