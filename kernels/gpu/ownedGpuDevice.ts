// A GPUDevice that belongs to one piece of work, and goes when that is closed.

/** Limits that decide how much fits; the defaults are far below what most adapters have. */
const raisedLimits = ['maxBufferSize', 'maxStorageBufferBindingSize'] as const;

interface Closable {
  close(): Promise<void>;
}

/**
 * What `make` makes on a device of its own: closing it destroys the device.
 * @param adapter a fresh one: an adapter serves one device only.
 * @throws what `make` throws; the device is then gone.
 */
export async function onOwnDevice<T extends Closable>(
  adapter: GPUAdapter,
  make: (device: GPUDevice) => Promise<T>,
  requiredFeatures: GPUFeatureName[] = [],
): Promise<T> {
  // Deno 2.9 asks the adapter when a device is asked about itself, and panics where that has been collected: it is held as
  // long as the device.
  const held = { adapter, device: await requestRaised(adapter, requiredFeatures) };
  const { device } = held;
  try {
    const made = await make(device);
    const close = made.close.bind(made);
    made.close = async () => {
      await close();
      held.device.destroy();
    };
    return made;
  } catch (error) {
    device.destroy();
    throw error;
  }
}

function requestRaised(adapter: GPUAdapter, requiredFeatures: GPUFeatureName[]): Promise<GPUDevice> {
  return adapter.requestDevice({
    requiredFeatures,
    requiredLimits: Object.fromEntries(raisedLimits.map((limit) => [limit, adapter.limits[limit]])),
  });
}
