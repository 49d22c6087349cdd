"""The kiosk page and the HTTP API, on the hub that the live loop fills. Needs the extra `[kiosk]`.

    hub = Hub()
    settings = KioskSettings()
    app = kiosk_app(hub, settings, access_of(settings))
    with KioskServer(app, listen(settings.host, settings.port)) as server:
        print(server.url)

`app.py` has the routes, `guard.py` stands before them, `newest.py` and `streams.py` carry pictures, `upload.py` and
`reading.py` take them, `pages/` holds what a browser shows.
"""
