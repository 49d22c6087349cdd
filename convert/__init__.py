"""From a trained model to what a board runs.

    python -m convert tflite runs/mobilenet_v2/model.keras --kind int8 --calibration data/fer2013.csv --out fer.tflite
    python -m convert onnx runs/mobilenet_v2/model.keras
    python -m convert pack fer.tflite --name fer2013 --label-set fer2013 --licence Apache-2.0 --out bundles/fer2013
    fer-edge predict photo.jpg --bundle bundles/fer2013

In Python: `convert.tflite.convert`, `convert.onnx.convert_onnx`, `convert.calibration.choose_calibration`, `convert.pack.pack`. TensorFlow is
imported only where a Keras model is read or converted; packing needs none.
"""
